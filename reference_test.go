//go:build linux

package procession_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// What the manager that this engine replaces could do, operation by operation. The
// faults of it, which must not come back, are in faults_*_test.go.

func TestReferenceStart(t *testing.T) {
	t.Setenv("PROCESSION_TEST_PARENT", "from the parent")
	e := enginetest.New(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	exit, out := enginetest.Run(t, e, procession.Spec{
		Command: "sh", Args: []string{"-c", `pwd -P; echo "$1|$PROCESSION_TEST_PARENT|$ADDED"`, "sh", "an argument"},
		Dir: dir, Env: map[string]string{"ADDED": "from the spec"}, OutputLimit: 1000,
	})
	assert.Equal(t, "exit status 0", exit.String(), out.Combined())
	assert.Equal(t, dir+"\nan argument|from the parent|from the spec\n", out.Stdout())
}

func TestReferenceGetOutput(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "sh", Args: []string{"-c", "echo out; echo err >&2; read line; exit 3"}, Stdin: true})
	enginetest.AwaitText(t, e, id, "out\n")
	enginetest.AwaitText(t, e, id, "err\n")
	out := enginetest.Output(t, e, id)
	assert.Equal(t, "out\n", out.Stdout())
	assert.Equal(t, "err\n", out.Stderr())
	assert.Len(t, out.Combined(), 8)
	assert.False(t, out.Truncated())
	assert.Nil(t, out.Exit, "while it runs")
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	enginetest.Wait(t, e, id)
	out = enginetest.Output(t, e, id)
	assert.Equal(t, "out\n", out.Stdout(), "after its end")
	require.NotNil(t, out.Exit, "after its end")
	assert.Equal(t, 3, out.Exit.Code)
	assert.Empty(t, out.Exit.Signal)
}

func TestReferenceWaitForExit(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "cat", Stdin: true})
	waiting := make(chan procession.Exit)
	for range 3 {
		go func() {
			exit, err := e.Wait(testkit.Within(t), id)
			assert.NoError(t, err)
			waiting <- exit
		}()
	}
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	for range 3 {
		exit := <-waiting
		assert.True(t, exit.Success(), exit)
	}
}

func TestReferenceKillTerminatesThenKills(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(200*time.Millisecond))
	polite, stubborn := enginetest.Start(t, e, procession.Shell("sleep 1000")), enginetest.Start(t, e, helper("stubborn"))
	enginetest.AwaitText(t, e, stubborn, "ready")
	exit := enginetest.Kill(t, e, polite)
	assert.Equal(t, "SIGTERM", exit.Signal)
	assert.Equal(t, procession.CauseKilled, exit.Cause)
	exit = enginetest.Kill(t, e, stubborn)
	assert.Equal(t, "SIGKILL", exit.Signal)
	assert.Equal(t, procession.CauseKilled, exit.Cause)
}

func TestReferenceRelease(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("sleep 1000"))
	pid := enginetest.Info(t, e, id).PID
	require.NoError(t, e.Release(testkit.Within(t), id))
	_, err := e.Output(testkit.Within(t), id)
	assert.ErrorIs(t, err, procession.ErrNotFound)
	left, there := testkit.Look(pid)
	assert.False(t, there, "after Release it is there: %v", left)
}

func TestReferenceList(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	a, b := enginetest.Start(t, e, procession.Shell("sleep 1000")), enginetest.Start(t, e, procession.Shell("exit 2"))
	enginetest.Wait(t, e, b)
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	require.Len(t, list, 2)
	assert.Equal(t, a, list[0].ID)
	assert.Nil(t, list[0].Exit)
	assert.Equal(t, b, list[1].ID)
	require.NotNil(t, list[1].Exit)
	assert.Equal(t, 2, list[1].Exit.Code)
}

func TestReferenceInfo(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	dir := t.TempDir()
	begin := time.Now()
	id := enginetest.Start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}, Dir: dir, OutputLimit: 12345})
	i := enginetest.Info(t, e, id)
	assert.Equal(t, id, i.ID)
	assert.Equal(t, "sleep", i.Command)
	assert.Equal(t, []string{"1000"}, i.Args)
	assert.Equal(t, dir, i.Dir)
	assert.EqualValues(t, 12345, i.OutputLimit)
	assert.Equal(t, procession.Running, i.State)
	assert.Nil(t, i.Exit)
	assert.WithinRange(t, i.CreatedAt, begin, time.Now())
}

func TestReferenceCleanupHasOneSharedGrace(t *testing.T) {
	t.Parallel()
	const grace, stubborn, polite = time.Second, 10, 5
	e := enginetest.New(t, procession.WithGrace(grace))
	for range stubborn {
		enginetest.AwaitText(t, e, enginetest.Start(t, e, helper("stubborn")), "ready")
	}
	for range polite {
		enginetest.Start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	}
	enginetest.Run(t, e, procession.Shell("true"))
	begin := time.Now()
	report, err := e.Shutdown(testkit.Within(t))
	took := time.Since(begin)
	require.NoError(t, err)
	assert.GreaterOrEqual(t, took, grace)
	assert.LessOrEqual(t, took, stubborn*grace/2, "a grace for all")
	assert.Equal(t, polite, report.Terminated)
	assert.Equal(t, stubborn, report.Killed)
}

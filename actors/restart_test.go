//go:build linux

package actors_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

func TestRestartsUntilItSucceeds(t *testing.T) {
	e := enginetest.New(t)
	spec := enginetest.Counting(t, `1) exit 1;; 2) kill -9 $$;; *) exit 0;;`)
	spec.Restart = enginetest.Quick
	id := enginetest.Start(t, e, spec)
	exit := enginetest.Wait(t, e, id)
	require.True(t, exit.Success(), "%v", exit)
	got := enginetest.Info(t, e, id)
	require.Equal(t, 2, got.Restarts)
	require.Equal(t, procession.Exited, got.State)
	require.Len(t, got.Incarnations, 3)
	assert.Equal(t, "run 1\nrun 2\nrun 3\n", enginetest.Output(t, e, id).Stdout(), "the log does not run through")
	for i, end := range []string{"exit status 1", "signal: SIGKILL", "exit status 0"} {
		assert.Equal(t, end, got.Incarnations[i].Exit.String(), "incarnation %d", i)
		assert.EqualValues(t, 6*i, got.Incarnations[i].Mark, "incarnation %d", i)
	}
	chunk, err := e.Read(testkit.Within(t), id, procession.ReadOptions{Cursor: got.Incarnations[1].Mark, MaxBytes: 5})
	require.NoError(t, err)
	require.NotEmpty(t, chunk.Segments)
	assert.Equal(t, "run 2", string(chunk.Segments[0].Data), "at the mark of incarnation 1")
}

func TestGivesUpAfterMaxRestarts(t *testing.T) {
	e := enginetest.New(t)
	spec := enginetest.Counting(t, `*) exit $n;;`)
	spec.Restart = enginetest.Quick
	spec.Restart.MaxRestarts = 20
	id := enginetest.Start(t, e, spec)
	assert.Equal(t, 21, enginetest.Wait(t, e, id).Code)
	got := enginetest.Info(t, e, id)
	assert.Equal(t, 20, got.Restarts)
	require.Len(t, got.Incarnations, 16)
	assert.Equal(t, 6, got.Incarnations[0].Exit.Code)
}

func TestAlwaysRestartsAlsoAfterSuccess(t *testing.T) {
	e := enginetest.New(t)
	spec := enginetest.Counting(t, `4) sleep 1000;; *) exit 0;;`)
	spec.Restart = enginetest.Quick
	spec.Restart.When = procession.Always
	id := enginetest.Start(t, e, spec)
	_, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile("run 4"))
	require.NoError(t, err)
	got := enginetest.Info(t, e, id)
	assert.Equal(t, 3, got.Restarts)
	assert.Equal(t, procession.Running, got.State)
}

func TestAStopAskedForIsNotRestarted(t *testing.T) {
	e := enginetest.New(t)
	spec := procession.Shell("echo up; sleep 1000")
	spec.Restart = enginetest.Quick
	spec.Restart.When = procession.Always
	id := enginetest.Start(t, e, spec)
	_, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile("up"))
	require.NoError(t, err)
	assert.Equal(t, procession.CauseKilled, enginetest.Kill(t, e, id).Cause)
	got := enginetest.Info(t, e, id)
	assert.Equal(t, procession.Exited, got.State)
	assert.Zero(t, got.Restarts)
}

// awaitState waits until a process is in a state.
func awaitState(t *testing.T, e *procession.Engine, id string, state procession.State) {
	t.Helper()
	ctx := testkit.Within(t)
	testkit.Eventually(t, func(c *assert.CollectT) {
		info, err := e.Info(ctx, id)
		require.NoError(c, err)
		assert.Equal(c, state, info.State)
	})
}

func TestKillCancelsTheBackOff(t *testing.T) {
	e := enginetest.New(t)
	spec := procession.Shell("echo once; exit 5")
	spec.Restart = procession.Policy{When: procession.OnFailure, MinBackoff: time.Hour, MaxBackoff: time.Hour}
	id := enginetest.Start(t, e, spec)
	waited := make(chan procession.Exit, 1)
	go func() {
		exit, err := e.Wait(testkit.Within(t), id)
		assert.NoError(t, err)
		waited <- exit
	}()
	awaitState(t, e, id, procession.BackingOff)
	out := enginetest.Output(t, e, id)
	assert.Equal(t, "once\n", out.Stdout(), "in back-off")
	assert.Nil(t, out.Exit, "in back-off")
	exit := enginetest.Kill(t, e, id)
	assert.Equal(t, 5, exit.Code)
	assert.Equal(t, procession.CauseExited, exit.Cause)
	assert.Equal(t, 5, (<-waited).Code)
}

func TestARestartThatCannotStartIsAFailureThatSaysSo(t *testing.T) {
	e := enginetest.New(t)
	program := filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(program, []byte("#!/bin/sh\nrm $0\nexit 1\n"), 0o755))
	spec := procession.Spec{Command: program, Restart: enginetest.Quick}
	spec.Restart.MaxRestarts = 2
	id := enginetest.Start(t, e, spec)
	exit := enginetest.Wait(t, e, id)
	assert.Equal(t, procession.CauseStartFailed, exit.Cause)
	assert.False(t, exit.Success(), "%v", exit)
	assert.Contains(t, exit.Reason, "no such file")
	assert.Equal(t, 2, enginetest.Info(t, e, id).Restarts)
}

// What is wrong with a restart is told as it would have been at the first start.
func TestARestartThatFailsSaysWhy(t *testing.T) {
	e := enginetest.New(t)
	for name, test := range map[string]struct {
		harm string
		is   error
	}{
		"gone":            {`rm "$0"`, syscall.ENOENT},
		"not executable":  {`chmod -x "$0"`, syscall.EACCES},
		"a directory now": {`rm "$0"; mkdir "$0"`, syscall.EACCES},
		"no program":      {`rm "$0"; printf '\177ELF' >"$0"; chmod +x "$0"`, syscall.ENOEXEC},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "program")
			require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+test.harm+"; exit 1\n"), 0o755))
			exit, _ := enginetest.Run(t, e, procession.Spec{Command: path, Restart: enginetest.Quick})
			assert.Equal(t, procession.CauseStartFailed, exit.Cause)
			require.NotNil(t, exit.StartError)
			assert.ErrorIs(t, exit.StartError, test.is)
			assert.ErrorIs(t, exit.StartError, procession.ErrStart)
			assert.EqualError(t, exit.StartError, exit.Reason)
		})
	}
	t.Run("not on PATH any more", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "gone-soon"), []byte("#!/bin/sh\nrm \"$0\"; exit 1\n"), 0o755))
		t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
		exit, _ := enginetest.Run(t, e, procession.Spec{Command: "gone-soon", Restart: enginetest.Quick})
		require.NotNil(t, exit.StartError)
		assert.ErrorIs(t, exit.StartError, exec.ErrNotFound)
	})
}

func TestWhatAnIncarnationSpawnedEndsWithIt(t *testing.T) {
	e := enginetest.New(t)
	spec := enginetest.Counting(t, `1) setsid sh -c 'echo pid $$ >&2; exec sleep 1000 2>/dev/null >&2' & sleep 0.2; exit 1;; *) sleep 1000;;`)
	spec.Restart = enginetest.Quick
	id := enginetest.Start(t, e, spec)
	_, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile("run 2"))
	require.NoError(t, err)
	said := enginetest.Output(t, e, id).Stderr()
	var pid int
	fmt.Sscanf(said, "pid %d", &pid)
	require.NotZero(t, pid, "%q", said)
	assert.False(t, testkit.Alive(pid), "process %d is alive in the next incarnation", pid)
}

func TestTimeoutRunsForEachIncarnation(t *testing.T) {
	e := enginetest.New(t)
	spec := procession.Shell("echo up; sleep 1000")
	spec.Timeout, spec.Restart = 50*time.Millisecond, enginetest.Quick
	spec.Restart.MaxRestarts = 2
	id := enginetest.Start(t, e, spec)
	assert.Equal(t, procession.CauseTimeout, enginetest.Wait(t, e, id).Cause)
	assert.Equal(t, 2, enginetest.Info(t, e, id).Restarts)
}

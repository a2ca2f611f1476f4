//go:build linux

package procession_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

func TestFaultKillEndsTheWholeTree(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(500*time.Millisecond))
	id := enginetest.Start(t, e, helper("tree", "child", "session", "tree", "child", "session", "tree", "child"))
	enginetest.AwaitText(t, e, id, "grown\n")
	tree := append(pids(enginetest.Output(t, e, id).Stdout()), enginetest.Info(t, e, id).PID)
	require.Len(t, tree, 8)
	enginetest.Kill(t, e, id)
	for _, pid := range tree {
		assert.False(t, testkit.Alive(pid), "after Kill, %d of %v lives", pid, tree)
	}
}

func TestFaultWhatAnEndedLeaderLeavesEndsToo(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	_, out := enginetest.Run(t, e, procession.Shell("sleep 1000 >/dev/null 2>&1 & echo pid $!"))
	left := pids(out.Stdout())
	require.Len(t, left, 1)
	testkit.Gone(t, left...)
}

func TestFaultGrandchildHoldingThePipeDoesNotHangWait(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(testkit.Patience))
	exit, out := enginetest.Run(t, e, procession.Shell("sleep 1000 & echo pid $!"))
	require.True(t, exit.Success(), exit)
	holder := pids(out.Stdout())
	require.Len(t, holder, 1)
	testkit.Gone(t, holder...)
}

func TestFaultAGrandchildThatStillWritesIsHeardOut(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(testkit.Patience))
	// Each pause is shorter than the drain-idle time, all of them are longer.
	_, out := enginetest.Run(t, e, procession.Shell("(for i in 1 2 3 4 5 6 7 8; do sleep 0.05; echo tick $i; done) & exit 0"))
	endsWith(t, out.Stdout(), "tick 8\n")
	assert.Equal(t, 8, strings.Count(out.Stdout(), "tick"), out.Stdout())
}

func TestFaultAGrandchildThatNeverStopsWritingIsCutOff(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(500*time.Millisecond))
	exit, _ := enginetest.Run(t, e, procession.Shell("yes & exit 4"))
	assert.Equal(t, 4, exit.Code)
	assert.Equal(t, procession.CauseExited, exit.Cause)
}

func TestFaultSignalIsReported(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for _, name := range []string{"KILL", "TERM", "SEGV", "USR1", "HUP"} {
		exit, out := enginetest.Run(t, e, procession.Shell("ulimit -c 0; kill -"+name+" $$; sleep 1000"))
		assert.Equal(t, "SIG"+name, exit.Signal)
		assert.Equal(t, -1, exit.Code, name)
		assert.False(t, exit.Success(), name)
		assert.Equal(t, procession.CauseExited, exit.Cause, name)
		assert.Equal(t, "signal: SIG"+name, exit.String())
		assert.Equal(t, exit.Signal, out.Exit.Signal)
	}
}

func TestFaultShutdownReapsEverything(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(time.Second))
	var tree, leaders []int
	for _, kind := range []string{"child", "session"} {
		id := enginetest.Start(t, e, helper("tree", kind))
		enginetest.AwaitText(t, e, id, "grown")
		tree = append(tree, pids(enginetest.Output(t, e, id).Stdout())...)
		leaders = append(leaders, enginetest.Info(t, e, id).PID)
	}
	for _, spec := range []procession.Spec{helper("stubborn"), procession.Shell("sleep 1000"), procession.Shell("exit 1"), procession.Shell("sleep 1000 &")} {
		leaders = append(leaders, enginetest.Info(t, e, enginetest.Start(t, e, spec)).PID)
	}
	_, err := e.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	for _, pid := range leaders {
		left, there := testkit.Look(pid)
		assert.False(t, there, "after Shutdown a leader is there: %v", left)
	}
	for _, pid := range tree {
		assert.False(t, testkit.Alive(pid), "after Shutdown descendant %d lives", pid)
	}
}

func TestFaultSignalToAStrangerIsImpossible(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("sleep 1000"))
	enginetest.Kill(t, e, id)
	pid := enginetest.Info(t, e, id).PID
	err := e.Signal(testkit.Within(t), id, syscall.SIGKILL)
	assert.ErrorIs(t, err, procession.ErrExited, "a signal to %d, which has been reaped", pid)
}

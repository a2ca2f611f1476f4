//go:build linux

package actors_test

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/internal/testkit/program"
)

func TestTimeoutEndsIt(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := procession.Shell("sleep 1000")
	spec.Timeout = 50 * time.Millisecond
	exit, _ := enginetest.Run(t, e, spec)
	assert.Equal(t, procession.CauseTimeout, exit.Cause)
	assert.Equal(t, "SIGTERM", exit.Signal)
	assert.Equal(t, -1, exit.Code)

	stubborn := program.Spec("stubborn")
	stubborn.Timeout, stubborn.Grace = 500*time.Millisecond, 50*time.Millisecond
	exit, _ = enginetest.Run(t, e, stubborn)
	assert.Equal(t, procession.CauseTimeout, exit.Cause)
	assert.Contains(t, []string{"SIGKILL", "SIGTERM"}, exit.Signal)

	inTime := procession.Shell("exit 3")
	inTime.Timeout = testkit.Patience
	exit, _ = enginetest.Run(t, e, inTime)
	assert.Equal(t, procession.CauseExited, exit.Cause)
	assert.Equal(t, 3, exit.Code)
}

func TestStopSignal(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := program.Spec("signals", "SIGINT")
	spec.StopSignal = syscall.SIGINT
	spec.Grace = testkit.Patience
	id := enginetest.Start(t, e, spec)
	enginetest.AwaitText(t, e, id, "ready")
	exit := enginetest.Kill(t, e, id)
	assert.Equal(t, 4, exit.Code)
	assert.Equal(t, procession.CauseKilled, exit.Cause)
	assert.Empty(t, exit.Signal)
	assert.Equal(t, "ready\ngot SIGINT\n", enginetest.Output(t, e, id).Stdout())
}

func TestGraceIsGivenInFull(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(time.Millisecond))
	spec := procession.Shell(`trap 'sleep 0.3; echo tidied up; exit 5' TERM; echo ready; while :; do sleep 0.05; done`)
	spec.Grace = testkit.Patience
	id := enginetest.Start(t, e, spec)
	enginetest.AwaitText(t, e, id, "ready")
	exit := enginetest.Kill(t, e, id)
	assert.Equal(t, 5, exit.Code)
	assert.Equal(t, procession.CauseKilled, exit.Cause)
	assert.Contains(t, enginetest.Output(t, e, id).Stdout(), "tidied up")
}

func TestAfterTheGraceItIsKilled(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(100*time.Millisecond))
	id := enginetest.Start(t, e, program.Spec("stubborn"))
	enginetest.AwaitText(t, e, id, "ready")
	begin := time.Now()
	exit := enginetest.Kill(t, e, id)
	assert.GreaterOrEqual(t, time.Since(begin), 100*time.Millisecond, "it was killed before its grace was over")
	assert.Equal(t, "SIGKILL", exit.Signal)
	assert.Equal(t, -1, exit.Code)
	assert.Equal(t, procession.CauseKilled, exit.Cause)
}

func TestKillOfAStoppedProcess(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(testkit.Patience))
	id := enginetest.Start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	pid := enginetest.Info(t, e, id).PID
	require.NoError(t, e.Signal(testkit.Within(t), id, syscall.SIGSTOP))
	testkit.Eventually(t, func(c *assert.CollectT) {
		p, _ := testkit.Look(pid)
		assert.Equal(c, "T", string(p.State), "the state of what gets SIGSTOP")
	})
	assert.Equal(t, "SIGTERM", enginetest.Kill(t, e, id).Signal)
}

func TestKillsSendOneStopSignal(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(testkit.Patience))
	id := enginetest.Start(t, e, program.Spec("signals"))
	enginetest.AwaitText(t, e, id, "ready")
	var kills sync.WaitGroup
	exits := make([]procession.Exit, 20)
	for i := range exits {
		kills.Go(func() {
			var err error
			exits[i], err = e.Kill(testkit.Within(t), id)
			assert.NoError(t, err)
		})
	}
	enginetest.AwaitText(t, e, id, "got SIGTERM\n")
	assert.Equal(t, procession.Stopping, enginetest.Info(t, e, id).State, "while it is being killed")
	// All kills have been asked for when one more question has been answered
	// after them; the process then ends by a signal that none of them sends.
	testkit.Eventually(t, func(c *assert.CollectT) {
		assert.NoError(c, e.Signal(testkit.Within(t), id, syscall.SIGUSR2))
	})
	kills.Wait()
	for _, exit := range exits {
		assert.Equal(t, exits[0], exit, "one Kill says something else than another")
		assert.Zero(t, exit.Code)
		assert.Equal(t, procession.CauseKilled, exit.Cause)
	}
	out := enginetest.Output(t, e, id).Stdout()
	assert.Equal(t, 1, strings.Count(out, "SIGTERM"), "%q", out)
}

func TestKillOfAnEndedProcessIsNoError(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("exit 3"))
	exit := enginetest.Wait(t, e, id)
	for range 2 {
		again := enginetest.Kill(t, e, id)
		assert.Equal(t, exit, again, "Kill says something else than Wait")
		assert.Equal(t, procession.CauseExited, again.Cause)
	}
}

// What has ended is not killed, but what it left behind is.
func TestKillAllWaitsForWhatIsLeftOfTheEnded(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for _, line := range []string{
		"(trap '' TERM; echo ready; exec sleep 1000 >/dev/null 2>&1) & sleep 0.2",
		"trap '' TERM; setsid sleep 1000 >/dev/null 2>&1 & exit 0",
	} {
		spec := procession.Shell(line)
		spec.Name, spec.Grace = "ended", 300*time.Millisecond
		id := enginetest.Start(t, e, spec)
		enginetest.Wait(t, e, id)
		n, err := e.KillAll(testkit.Within(t), procession.Selector{Names: []string{"ended"}})
		require.NoError(t, err)
		assert.Zero(t, n, line)
		assert.Empty(t, testkit.Carrying("PROCESSION_ID="+id), line)
	}
}

func TestReleaseEndsAndForgets(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	running := enginetest.Start(t, e, procession.Shell("sleep 1000 & wait"))
	pid := enginetest.Info(t, e, running).PID
	ended := enginetest.Start(t, e, procession.Shell("true"))
	enginetest.Wait(t, e, ended)
	waiting := make(chan procession.Exit)
	go func() {
		exit, err := e.Wait(testkit.Within(t), running)
		if err != nil {
			assert.ErrorIs(t, err, procession.ErrNotFound) // it may come too late
		}
		waiting <- exit
	}()
	for _, id := range []string{running, ended} {
		assert.NoError(t, e.Release(testkit.Within(t), id))
		_, err := e.Info(testkit.Within(t), id)
		assert.ErrorIs(t, err, procession.ErrNotFound, "Info after Release")
		assert.ErrorIs(t, e.Release(testkit.Within(t), id), procession.ErrNotFound, "Release again")
	}
	_, there := testkit.Look(pid)
	assert.False(t, there, "after Release the process is there, if only as a zombie")
	select {
	case exit := <-waiting:
		if exit != (procession.Exit{}) {
			assert.Equal(t, procession.CauseKilled, exit.Cause, "a Wait that was pending says %+v", exit)
		}
	case <-testkit.Within(t).Done():
		assert.Fail(t, "a Wait that was pending has not been answered")
	}
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Empty(t, list, "List after Release")
}

func TestReleasesAtOnceAreAllAnswered(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("sleep 1000"))
	var done sync.WaitGroup
	for range 10 {
		done.Go(func() {
			if err := e.Release(testkit.Within(t), id); err != nil {
				assert.ErrorIs(t, err, procession.ErrNotFound)
			}
		})
	}
	done.Wait()
}

func TestSignal(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, program.Spec("signals"))
	enginetest.AwaitText(t, e, id, "ready")
	for _, signal := range []struct {
		number syscall.Signal
		name   string
	}{{syscall.SIGUSR1, "SIGUSR1"}, {syscall.SIGHUP, "SIGHUP"}, {syscall.SIGTERM, "SIGTERM"}} {
		require.NoError(t, e.Signal(testkit.Within(t), id, signal.number))
		enginetest.AwaitText(t, e, id, fmt.Sprintf("got %s", signal.name))
	}
	assert.Equal(t, procession.Running, enginetest.Info(t, e, id).State, "after signals that it has survived")
	require.NoError(t, e.Signal(testkit.Within(t), id, syscall.SIGUSR2))
	exit := enginetest.Wait(t, e, id)
	assert.Equal(t, procession.CauseExited, exit.Cause)
	assert.True(t, exit.Success(), "%v", exit)
	err := e.Signal(testkit.Within(t), id, syscall.SIGUSR1)
	assert.ErrorIs(t, err, procession.ErrExited, "a signal to one that has ended")
	assert.ErrorIs(t, err, os.ErrProcessDone, "a signal to one that has ended")
}

func TestSignalReachesTheGroup(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell(`trap '' USR1; (trap 'echo child heard it; exit' USR1; echo ready; while :; do sleep 0.02; done) & wait`))
	enginetest.AwaitText(t, e, id, "ready")
	require.NoError(t, e.Signal(testkit.Within(t), id, syscall.SIGUSR1))
	enginetest.AwaitText(t, e, id, "child heard it")
}

func TestSignalReachesTheLeaderAlone(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell(`(trap 'echo child heard it' USR1; echo ready; while :; do sleep 0.02; done) &
trap 'echo leader heard it' USR1; while :; do wait; done`))
	enginetest.AwaitText(t, e, id, "ready")
	for range 2 {
		require.NoError(t, e.Signal(testkit.Within(t), id, syscall.SIGUSR1, procession.ScopeLeader))
	}
	enginetest.AwaitText(t, e, id, "leader heard it")
	err := e.Signal(testkit.Within(t), id, syscall.SIGUSR1, procession.ScopeLeader+1)
	assert.ErrorIs(t, err, procession.ErrInvalidRequest, "a scope that is none")
	enginetest.Kill(t, e, id)
	assert.NotContains(t, enginetest.Output(t, e, id).Combined(), "child heard it")
}

func TestASignalThatEndsItIsNoKill(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	require.NoError(t, e.Signal(testkit.Within(t), id, syscall.SIGINT))
	exit := enginetest.Wait(t, e, id)
	assert.Equal(t, "SIGINT", exit.Signal)
	assert.Equal(t, procession.CauseExited, exit.Cause)
}

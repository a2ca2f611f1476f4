//go:build linux

package faults

import (
	"context"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// Who cannot wait for a grace: all of these would take an hour.

var atOnce = procession.KillOptions{Grace: -1}

// deafTree hears nothing: the leader, one in a session of its own, and an orphan. It prints
// their process IDs.
const deafTree = `trap '' TERM HUP; echo $$
	setsid sh -c 'echo $$; exec sleep 1000' &
	(setsid sh -c 'echo $$; exec sleep 1000' &)
	while :; do sleep 1000; done`

// startDeaf starts it, and where everything has a mark an orphan that knows nothing of its
// engine, too.
func startDeaf(t *testing.T, eng *procession.Engine) (id string, all []int) {
	spec, count := procession.Shell(deafTree), 3
	if eng.Capabilities().Reason == "" {
		spec, count = procession.Shell("(setsid env -i sh -c 'echo $$; exec sleep 1000' &)\n"+deafTree), 4
	}
	spec.Grace = time.Hour
	id = enginetest.Start(t, eng, spec)
	return id, pids(t, eng, id, count)
}

func TestKillAtOnceEndsAllThatItStarted(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(eng *procession.Engine, id string){
		"at first":       func(*procession.Engine, string) {},
		"after a Kill":   func(eng *procession.Engine, id string) { eng.Kill(ended(), id) },
		"after a signal": func(eng *procession.Engine, id string) { eng.Signal(ended(), id, syscall.SIGTERM) },
		"while stopped":  func(eng *procession.Engine, id string) { eng.Signal(context.Background(), id, syscall.SIGSTOP) },
		"beside another": func(eng *procession.Engine, id string) { go eng.Kill(context.Background(), id, atOnce) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eng := enginetest.New(t)
			id, all := startDeaf(t, eng)
			before(eng, id)
			exit, err := eng.Kill(testkit.Within(t), id, atOnce)
			require.NoError(t, err)
			assert.Equal(t, "SIGKILL", exit.Signal)
			assert.Equal(t, procession.CauseKilled, exit.Cause)
			for _, pid := range all {
				assert.False(t, testkit.Alive(pid), "%d lives", pid)
			}
			again, err := eng.Kill(testkit.Within(t), id, atOnce)
			require.NoError(t, err)
			assert.Equal(t, exit, again)
		})
	}
}

// ended is a context that is over when what it is for has been asked.
func ended() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// isStopping waits until a process is being ended.
func isStopping(t *testing.T, eng *procession.Engine, id string) {
	t.Helper()
	testkit.Eventually(t, func(c *assert.CollectT) {
		info, err := eng.Info(testkit.Within(t), id)
		assert.NoError(c, err)
		assert.Equal(c, procession.Stopping, info.State)
	})
}

// A Kill that is under way is answered when another one makes it sooner.
func TestAGentleKillIsAnsweredByOneAtOnce(t *testing.T) {
	t.Parallel()
	for name, sooner := range map[string]procession.KillOptions{
		"at once": atOnce, "by SIGKILL": {Signal: syscall.SIGKILL}, "a shorter grace": {Grace: time.Millisecond},
	} {
		eng := enginetest.New(t)
		id, _ := startDeaf(t, eng)
		exits := make(chan procession.Exit, 1)
		go func() {
			exit, _ := eng.Kill(testkit.Within(t), id)
			exits <- exit
		}()
		isStopping(t, eng, id)
		exit, err := eng.Kill(testkit.Within(t), id, sooner)
		require.NoError(t, err, name)
		assert.Equal(t, "SIGKILL", exit.Signal, name)
		assert.Equal(t, exit, <-exits, name)
	}
}

// The leader has ended, and what it left behind holds its output open.
func TestKillAtOnceWhileTheOutputDrains(t *testing.T) {
	t.Parallel()
	eng := enginetest.New(t)
	spec := procession.Shell(`trap '' TERM; setsid sh -c 'echo $$; exec sleep 1000' & read a`)
	spec.Grace, spec.Stdin = time.Hour, true
	id := enginetest.Start(t, eng, spec)
	child := pids(t, eng, id, 1)[0]
	require.NoError(t, eng.CloseStdin(testkit.Within(t), id))
	isStopping(t, eng, id)
	exit, err := eng.Kill(testkit.Within(t), id, atOnce)
	require.NoError(t, err)
	assert.Equal(t, procession.CauseExited, exit.Cause, "it had exited before")
	assert.False(t, testkit.Alive(child), "the child lives")
}

// A stranger that goes on writing into its output is no reason to wait for an hour.
func TestKillAtOnceDoesNotListenToStrangers(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(eng *procession.Engine, id string, pid int){
		"it runs":   func(*procession.Engine, string, int) {},
		"it drains": func(_ *procession.Engine, _ string, pid int) { syscall.Kill(pid, syscall.SIGKILL) },
		"it drains after a Kill": func(eng *procession.Engine, id string, _ int) {
			eng.Kill(ended(), id)
		},
	} {
		eng := enginetest.New(t)
		spec := procession.Shell("echo $$; exec sleep 1000")
		spec.Grace = time.Hour
		id := enginetest.Start(t, eng, spec)
		pid := pids(t, eng, id, 1)[0]
		stranger, err := os.OpenFile("/proc/"+strconv.Itoa(pid)+"/fd/1", os.O_WRONLY, 0)
		require.NoError(t, err)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for ticks := time.Tick(5 * time.Millisecond); ; <-ticks {
				if _, err := stranger.WriteString("x\n"); err != nil {
					return
				}
			}
		}()
		before(eng, id, pid)
		exit, err := eng.Kill(testkit.Within(t), id, atOnce)
		require.NoError(t, err, name)
		assert.True(t, exit.OutputCut, "%s: %+v", name, exit)
		stranger.Close()
		<-done
	}
}

// What was left alive on purpose is ended at once, too.
func TestKillAtOnceEndsWhatWasLeftAlive(t *testing.T) {
	t.Parallel()
	for name, gently := range map[string]bool{"at first": false, "after a Kill": true} {
		eng := enginetest.New(t)
		spec := procession.Shell(`trap '' TERM; setsid sh -c 'exec sleep 1000' >/dev/null 2>&1 & echo $!`)
		spec.Grace, spec.LeaveDescendants = time.Hour, true
		id := enginetest.Start(t, eng, spec)
		child := pids(t, eng, id, 1)[0]
		enginetest.Wait(t, eng, id)
		require.True(t, testkit.Alive(child), "%s: the child has ended", name)
		if gently {
			eng.Kill(ended(), id)
			require.True(t, testkit.Alive(child), "%s: the child has ended", name)
		}
		_, err := eng.Kill(testkit.Within(t), id, atOnce)
		require.NoError(t, err, name)
		assert.False(t, testkit.Alive(child), "%s: the child lives", name)
		require.NoError(t, eng.Release(testkit.Within(t), id), name)
	}
}

// It is asked to end by the signal of the Kill, and by no other.
func TestKillByAnotherSignal(t *testing.T) {
	t.Parallel()
	eng := enginetest.New(t)
	spec := procession.Shell(`trap 'exit 3' TERM; trap 'exit 4' USR1; echo $$; while :; do sleep 0.01; done`)
	spec.Grace = time.Hour
	for _, test := range []struct {
		options []procession.KillOptions
		code    int
	}{
		{nil, 3},
		{[]procession.KillOptions{{Signal: syscall.SIGUSR1}}, 4},
		{[]procession.KillOptions{{Signal: syscall.SIGUSR1}, {}}, 3}, // the last one counts
		{[]procession.KillOptions{{Grace: 2 * time.Hour}}, 3},
	} {
		id := enginetest.Start(t, eng, spec)
		pids(t, eng, id, 1)
		exit, err := eng.Kill(testkit.Within(t), id, test.options...)
		require.NoError(t, err)
		assert.Equal(t, test.code, exit.Code, "%v", test.options)
	}
	id := enginetest.Start(t, eng, spec)
	pids(t, eng, id, 1)
	_, err := eng.Kill(testkit.Within(t), id, procession.KillOptions{Signal: 65})
	assert.ErrorIs(t, err, procession.ErrInvalidRequest)
}

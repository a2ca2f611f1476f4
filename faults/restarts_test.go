//go:build linux

package faults

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// What is restarted again and again: it is given up, and everybody is told.

// What never becomes ready is given up, although it runs for longer than the window and the
// longest back-off.
func TestRestartsOfWhatIsNeverReady(t *testing.T) {
	for name, test := range map[string]struct {
		script string
		cause  procession.Cause
		code   int
	}{
		"it runs on":                  {"sleep 1000", procession.CauseNotReady, -1},
		"it fails before it is ready": {"sleep .15; exit 3", procession.CauseExited, 3},
		"it ends well, but not ready": {"trap 'exit 0' TERM; sleep 1000 & wait", procession.CauseNotReady, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eng := enginetest.New(t)
			spec := procession.Shell(test.script)
			spec.Ready = &procession.Probe{Pattern: "never", Timeout: 200 * time.Millisecond}
			spec.Restart = procession.Policy{
				When: procession.OnFailure, MaxRestarts: 3, Window: 100 * time.Millisecond, MinBackoff: 1, MaxBackoff: 50 * time.Millisecond,
			}
			id := enginetest.Start(t, eng, spec)
			waits := eng.WaitReady(testkit.Within(t), id)
			assert.ErrorIs(t, waits, procession.ErrExited)
			exit := enginetest.Wait(t, eng, id)
			assert.Equal(t, test.cause, exit.Cause)
			assert.Equal(t, test.code, exit.Code)
			assert.True(t, exit.GaveUp, "%+v", exit)
			info := enginetest.Info(t, eng, id)
			assert.Equal(t, 3, info.Restarts)
		})
	}
}

// Giving up is told whatever the exit code is, and nothing else is called giving up.
func TestRestartsTellThatTheyAreGivenUp(t *testing.T) {
	policy := func(when supervisor.When) procession.Policy {
		return procession.Policy{When: when, MaxRestarts: 2, MinBackoff: 1, MaxBackoff: 1}
	}
	for name, test := range map[string]struct {
		script string
		policy procession.Policy
		gaveUp bool
	}{
		"always, a success":     {"exit 0", policy(procession.Always), true},
		"always, a failure":     {"exit 5", policy(procession.Always), true},
		"on failure, a signal":  {"kill -9 $$", policy(procession.OnFailure), true},
		"on failure, a success": {"exit 0", policy(procession.OnFailure), false},
		"never":                 {"exit 5", policy(procession.Never), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eng := enginetest.New(t)
			events := eng.Events(testkit.Within(t))
			spec := procession.Shell(test.script)
			spec.Restart = test.policy
			id := enginetest.Start(t, eng, spec)
			exit := enginetest.Wait(t, eng, id)
			assert.Equal(t, test.gaveUp, exit.GaveUp)
			for event := range events {
				exited, is := event.(*messages.ProcessExited)
				if !is {
					continue
				}
				assert.Equal(t, test.gaveUp && exited.Final, exited.Exit.GaveUp)
				if exited.Final {
					break
				}
			}
			info := enginetest.Info(t, eng, id)
			for i, incarnation := range info.Incarnations {
				assert.Equal(t, test.gaveUp && i == len(info.Incarnations)-1, incarnation.Exit.GaveUp)
			}
		})
	}
	t.Run("killed while it waits", func(t *testing.T) {
		t.Parallel()
		eng := enginetest.New(t)
		spec := procession.Shell("exit 5")
		spec.Restart = procession.Policy{When: procession.Always, MinBackoff: time.Hour}
		id := enginetest.Start(t, eng, spec)
		exit := enginetest.Kill(t, eng, id)
		assert.False(t, exit.GaveUp, "%+v", exit)
	})
}

// The delay that an event tells is waited, whatever time the output took.
func TestRestartsWaitForTheDelayThatIsTold(t *testing.T) {
	for name, script := range map[string]string{
		"at once":                 "exit 1",
		"its output is held open": "setsid sleep 1000 & exit 1",
		"last words":              "(sleep .1; echo late) & exit 1",
		"what it leaves is slow":  "(trap 'sleep .3; exit' TERM; sleep 1000 >&2) & exit 1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eng := enginetest.New(t, procession.WithGrace(time.Second))
			events := eng.Events(testkit.Within(t))
			spec := procession.Shell(script)
			spec.Restart = procession.Policy{When: procession.OnFailure, MaxRestarts: 3, MinBackoff: 400 * time.Millisecond, MaxBackoff: 400 * time.Millisecond}
			enginetest.Start(t, eng, spec)
			var told *messages.ProcessRestarting
			for event := range events {
				switch e := event.(type) {
				case *messages.ProcessRestarting:
					told = e
				case *messages.ProcessStarted:
					if told != nil {
						assert.GreaterOrEqual(t, e.Time.Sub(told.Time), told.Delay)
					}
				case *messages.ProcessExited:
					if e.Final {
						return
					}
				}
			}
		})
	}
}

// A probe that prints without end has failed, and costs no more than what it may print.
func TestRestartsOfAProbeThatPrintsWithoutEnd(t *testing.T) {
	for name, test := range map[string]struct {
		probe  []string
		reason string
	}{
		"yes":                {[]string{"yes"}, "has printed more than 1048576 bytes"},
		"on standard error":  {[]string{"sh", "-c", "exec yes >&2"}, "has printed more than 1048576 bytes"},
		"its child does":     {[]string{"sh", "-c", "yes & wait"}, "has printed more than 1048576 bytes"},
		"on both, and fails": {[]string{"sh", "-c", "head -c 900000 /dev/zero; head -c 900000 /dev/zero >&2; exit 1"}, "has printed more than 1048576 bytes"},
		"not quite too much": {[]string{"sh", "-c", "head -c 1048576 /dev/zero; exit 3"}, "exit status 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eng := enginetest.New(t)
			spec := procession.Shell("sleep 1000")
			spec.Ready = &procession.Probe{Exec: test.probe, Timeout: 2 * time.Second, Interval: 500 * time.Millisecond}
			id := enginetest.Start(t, eng, spec)
			exit := enginetest.Wait(t, eng, id)
			assert.Equal(t, procession.CauseNotReady, exit.Cause)
			assert.Contains(t, exit.Reason, test.reason)
			leavesNothing(t, id)
		})
	}
}

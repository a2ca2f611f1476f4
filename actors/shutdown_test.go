//go:build linux

package actors_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/internal/testkit/program"
)

func TestShutdownAnswersWhoWaits(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("echo hello; sleep 1000"))
	enginetest.AwaitText(t, e, id, "hello")
	var waiting, asked sync.WaitGroup
	asked.Add(2)
	waiting.Go(func() {
		asked.Done()
		exit, err := e.Wait(testkit.Within(t), id)
		if err != nil {
			assert.ErrorIs(t, err, procession.ErrClosed)
			return
		}
		assert.Equal(t, procession.CauseShutdown, exit.Cause)
	})
	waiting.Go(func() {
		var last procession.Chunk
		begun := false
		for chunk, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{}) {
			if !assert.NoError(t, err) {
				return
			}
			if !begun {
				begun = true
				asked.Done()
			}
			last = chunk
		}
		assert.True(t, last.EOF, "Follow ended with %+v", last)
		if assert.NotNil(t, last.Exit) {
			assert.Equal(t, procession.CauseShutdown, last.Exit.Cause)
		}
	})
	asked.Wait()
	report, err := e.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	assert.Equal(t, procession.ShutdownReport{Terminated: 1}, report)
	waiting.Wait()
}

func TestShutdownsAtOnceAreAllAnswered(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	enginetest.Start(t, e, procession.Shell("sleep 1000"))
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			report, err := e.Shutdown(testkit.Within(t))
			if err != nil {
				assert.ErrorIs(t, err, procession.ErrClosed)
				return
			}
			assert.Equal(t, 1, report.Terminated)
		})
	}
	all.Wait()
}

func TestShutdownGoesOnWithoutItsContext(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(300*time.Millisecond))
	id := enginetest.Start(t, e, program.Spec("stubborn"))
	enginetest.AwaitText(t, e, id, "ready")
	pid := enginetest.Info(t, e, id).PID
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := e.Shutdown(ctx)
	assert.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = e.Start(testkit.Within(t), procession.Shell("true"))
	assert.ErrorIs(t, err, procession.ErrClosed, "a Start during a shutdown")
	testkit.Eventually(t, func(c *assert.CollectT) {
		_, there := testkit.Look(pid)
		assert.False(c, there, "it has not been reaped")
	})
}

func TestShutdownHasItsOwnGrace(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(100*time.Millisecond))
	spec := program.Spec("stubborn")
	spec.Grace = 10 * testkit.Patience
	enginetest.AwaitText(t, e, enginetest.Start(t, e, spec), "ready")
	report, err := e.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	assert.Equal(t, 1, report.Killed)
}

func TestShutdownDuringStartsLeavesNothing(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	var starts sync.WaitGroup
	begun := make(chan struct{}, 1000)
	for range 20 {
		starts.Go(func() {
			for {
				_, err := e.Start(testkit.Within(t), procession.Shell("sleep 1000"))
				if err != nil {
					assert.ErrorIs(t, err, procession.ErrClosed)
					return
				}
				select {
				case begun <- struct{}{}:
				default:
					return
				}
			}
		})
	}
	for range 30 {
		<-begun
	}
	_, err := e.Shutdown(testkit.Within(t)) // New looks for what is left
	assert.NoError(t, err)
	starts.Wait()
}

func TestShutdownOfNothing(t *testing.T) {
	t.Parallel()
	report, err := enginetest.New(t).Shutdown(testkit.Within(t))
	require.NoError(t, err)
	assert.Zero(t, report)
}

// A process that is backing off has ended before, and so has one whose leader
// exited: the report counts neither, though something of it may be killed.
func TestTheReportCountsNoneThatHadEnded(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := procession.Shell("sleep 1000")
	spec.Timeout = 20 * time.Millisecond
	spec.Restart = procession.Policy{When: procession.Always, MinBackoff: time.Hour, MaxBackoff: time.Hour}
	awaitState(t, e, enginetest.Start(t, e, spec), procession.BackingOff)

	spec = procession.Shell("trap '' TERM; sleep 1000 >/dev/null 2>&1 & echo pid $!")
	spec.Grace = 500 * time.Millisecond
	exit, out := enginetest.Run(t, e, spec)
	require.True(t, exit.Success(), "%v", exit)
	left := program.PIDs(out.Stdout())
	require.Len(t, left, 1)
	if !testkit.Alive(left[0]) {
		t.Log("what was left behind did not live until the shutdown")
	}
	enginetest.Start(t, e, procession.Shell("sleep 1000"))
	report, err := e.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	assert.Equal(t, procession.ShutdownReport{Terminated: 1}, report)
	assert.False(t, testkit.Alive(left[0]), "%d is left", left[0])
}

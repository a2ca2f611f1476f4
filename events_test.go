//go:build linux

package procession_test

import (
	"context"
	"iter"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

func TestEventsTellEveryTransitionInOrder(t *testing.T) {
	e, other := enginetest.New(t), enginetest.New(t)
	told := enginetest.Collect(t, e)
	enginetest.Start(t, other, procession.Shell("exit 0")) // its events are not ours
	spec := enginetest.Counting(t, `1) exit 1;; *) echo up; sleep 1000;;`)
	spec.Restart = enginetest.Quick
	id := enginetest.Start(t, e, spec)
	_, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile("up"))
	require.NoError(t, err)
	require.NoError(t, e.Release(testkit.Within(t), id))
	got := enginetest.AwaitA[*messages.ProcessReleased](t, told)
	require.Equal(t, []string{"Started", "Ready", "Exited", "Restarting", "Started", "Ready", "Stopping", "Exited", "Released"}, enginetest.Kinds(got))
	first := got[2].(*messages.ProcessExited)
	assert.Equal(t, id, first.ID)
	assert.False(t, first.Final, "the first exit is said to be final")
	assert.Equal(t, 1, first.Exit.Code)
	again := got[4].(*messages.ProcessStarted)
	assert.Equal(t, 1, again.Incarnation)
	assert.EqualValues(t, 6, again.Mark)
	last := got[7].(*messages.ProcessExited)
	assert.True(t, last.Final, "the last exit is not said to be final")
	assert.Equal(t, procession.CauseKilled, last.Exit.Cause)
}

func TestEventsArePublishedInOrder(t *testing.T) {
	t.Parallel()
	system := enginetest.NewSystem()
	e := enginetest.New(t, procession.WithActorSystem(system))
	published := make(enginetest.Events, 100)
	sub := system.EventStream.Subscribe(func(event any) {
		if event, ok := event.(messages.Event); ok {
			published <- event
		}
	})
	defer system.EventStream.Unsubscribe(sub)
	id := enginetest.Start(t, e, procession.Shell("exit 3"))
	enginetest.Wait(t, e, id)
	require.NoError(t, e.Release(testkit.Within(t), id))
	n := 0
	got := published.Await(t, func(procession.Event) bool { n++; return n == 4 })
	assert.Equal(t, []string{"Started", "Ready", "Exited", "Released"}, enginetest.Kinds(got))
}

func TestASlowListenerLosesOldEventsAndSlowsNobody(t *testing.T) {
	e := enginetest.New(t, procession.WithRetention(0, 0), procession.WithID("slow-"+t.Name()))
	published, released := []procession.Event{}, make(chan struct{}, 1)
	subscription := e.System().EventStream.Subscribe(func(m any) {
		if event, ok := m.(procession.Event); ok {
			published = append(published, event)
			if _, ok := event.(*messages.ProcessReleased); ok {
				released <- struct{}{}
			}
		}
	})
	defer e.System().EventStream.Unsubscribe(subscription)
	seq := e.Events(context.Background()) // listens from now on, and does not take anything yet
	const kept = 1024
	for range 300 { // of four events or more each, of one process after the other
		enginetest.Start(t, e, procession.Spec{Command: "true"})
		<-released
	}
	_, err := e.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	got := yielded(t, seq)
	require.Greater(t, len(published), kept)
	require.Len(t, got, 1+kept)
	assert.Equal(t, &messages.EventsLost{N: len(published) - kept}, got[0])
	assert.True(t, slices.Equal(got[1:], published[len(published)-kept:]), "what is kept are not the newest, in order")
}

// yielded is all that events yield until they end.
func yielded(t *testing.T, events iter.Seq[procession.Event]) (got []procession.Event) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		got = slices.Collect(events)
	}()
	select {
	case <-done:
		return got
	case <-time.After(testkit.Patience):
		require.FailNow(t, "the events do not end")
		return nil
	}
}

func TestEventsAreForOneIteration(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	left, ended := e.Events(context.Background()), e.Events(context.Background())
	enginetest.Start(t, e, procession.Shell("sleep 1000"))
	for range left {
		break
	}
	enginetest.Start(t, e, procession.Shell("sleep 1000"))
	assert.Empty(t, enginetest.Kinds(yielded(t, left)), "a second iteration while the engine lives")
	_, err := e.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	assert.Len(t, enginetest.Kinds(yielded(t, ended)), 8)
	for name, seq := range map[string]iter.Seq[procession.Event]{
		"a third": left, "a second": ended, "one begun after Shutdown": e.Events(context.Background()),
	} {
		assert.Empty(t, enginetest.Kinds(yielded(t, seq)), "%s iteration after Shutdown", name)
	}
}

func TestEventsEndWithTheEngine(t *testing.T) {
	e := enginetest.New(t)
	told := e.Events(context.Background())
	enginetest.Start(t, e, procession.Shell("sleep 1000"))
	_, err := e.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	assert.Equal(t, []string{"Started", "Ready", "Stopping", "Exited"}, enginetest.Kinds(yielded(t, told)))
}

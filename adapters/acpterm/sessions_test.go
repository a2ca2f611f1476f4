package acpterm_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coder/acp-go-sdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/acpterm"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

func TestSessionsAreIsolated(t *testing.T) {
	b := newBench(t)
	one, onePID := b.sleeper(t, "one")
	two, twoPID := b.sleeper(t, "two")
	for _, other := range []acp.SessionId{"two", "three", "", "ONE", "one "} {
		b.unknown(t, other, one)
	}
	b.unknown(t, "one", two)
	for _, pid := range []int{onePID, twoPID} {
		assert.True(t, testkit.Alive(pid), "a refused request has done something")
	}
	calls := b.calls("one", one)
	for _, name := range []string{"output", "kill"} {
		assert.NoError(t, calls[name](testkit.Within(t)), "terminal/%s by its own session", name)
	}
}

// It is agents who choose session IDs: two of them may choose the same.
func TestConnectionsAreIsolated(t *testing.T) {
	eng := enginetest.New(t)
	var benches [2]*bench
	var ids [2]string
	var pids [2]int
	for i := range benches {
		terms := acpterm.New(eng)
		benches[i] = &bench{eng, terms, connect(t, &host{Terminals: terms})}
		ids[i], pids[i] = benches[i].sleeper(t, session)
	}
	benches[0].unknown(t, session, ids[1])
	benches[1].unknown(t, session, ids[0])
	require.NoError(t, benches[0].terms.EndSession(testkit.Within(t), session))
	require.NoError(t, benches[0].terms.EndAllSessions(testkit.Within(t)))
	assert.False(t, testkit.Alive(pids[0]), "of the connection that was ended")
	assert.True(t, testkit.Alive(pids[1]), "of the other")
	benches[1].kill(t, ids[1])
}

func TestEndSession(t *testing.T) {
	b := newBench(t)
	own := enginetest.Start(t, b.eng, procession.Shell("exec sleep 1000"))
	var ids []string
	var pids []int
	for range 3 {
		id, pid := b.sleeper(t, session)
		ids, pids = append(ids, id), append(pids, pid)
	}
	ended := b.create(t, shell("true"))
	b.wait(t, ended)
	other, otherPID := b.sleeper(t, "other")

	for range 2 { // again is no error
		require.NoError(t, b.terms.EndSession(testkit.Within(t), session))
	}
	for _, id := range append(ids, ended) {
		b.unknown(t, session, id)
	}
	for _, pid := range pids {
		assert.False(t, testkit.Alive(pid), "%d", pid)
	}
	assert.True(t, testkit.Alive(otherPID), "a terminal of another session was ended")

	id, pid := b.sleeper(t, session) // a session that was loaded again
	require.NoError(t, b.terms.EndAllSessions(testkit.Within(t)))
	b.unknown(t, session, id)
	b.unknown(t, "other", other)
	assert.False(t, testkit.Alive(pid), "after EndAllSessions")
	assert.False(t, testkit.Alive(otherPID), "after EndAllSessions")
	assert.Equal(t, procession.Running, enginetest.Info(t, b.eng, own).State, "a process of the program's own")
}

func TestEndSessionHonoursItsContext(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, b.terms.EndSession(ctx, session), context.Canceled)
	assert.ErrorIs(t, b.terms.EndAllSessions(ctx), context.Canceled)
}

// Whatever the agent creates while its session ends, a last EndSession leaves
// nothing.
func TestCreationsWhileSessionsEnd(t *testing.T) {
	b := newBench(t)
	ctx := testkit.Within(t)
	var agents sync.WaitGroup
	for i := range 8 {
		agents.Go(func() {
			for range 10 {
				r := shell("exec sleep 1000")
				r.SessionId = acp.SessionId(fmt.Sprint("s", i%2))
				if _, err := b.agent.CreateTerminal(ctx, r); err != nil {
					assert.Equal(t, notFound, code(err), "%v", err)
					assert.ErrorContains(t, err, "has ended")
				}
			}
		})
	}
	var stop atomic.Bool
	var ender sync.WaitGroup
	ender.Go(func() {
		for !stop.Load() {
			assert.NoError(t, b.terms.EndSession(ctx, "s0"))
			assert.NoError(t, b.terms.EndAllSessions(ctx))
		}
	})
	agents.Wait()
	stop.Store(true)
	ender.Wait()
	require.NoError(t, b.terms.EndAllSessions(ctx))
	assertNone(t, b.eng)
}

// latecomer is a context that ends between the first time it is asked and the
// second.
type latecomer struct {
	context.Context
	asked bool
}

func (c *latecomer) Err() error {
	if c.asked {
		return context.Canceled
	}
	c.asked = true
	return nil
}

// An agent that cancels terminal/create never learns the terminal's ID.
func TestCancelledCreationLeavesNothing(t *testing.T) {
	eng := enginetest.New(t)
	terms := acpterm.New(eng)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, ctx := range map[string]context.Context{"before": ended, "during": &latecomer{Context: context.Background()}} {
		_, err := terms.CreateTerminal(ctx, shell("exec sleep 1000"))
		assert.ErrorIs(t, err, context.Canceled, name)
	}
	assertNone(t, eng)
}

// waitingAgent is an agent that waits for a terminal that will not end by itself,
// when the client has heard of it.
func waitingAgent(t *testing.T) (b *bench, h *host, id string, pid int, cancel func(), answer chan error) {
	eng := enginetest.New(t)
	h = &host{Terminals: acpterm.New(eng), waiting: make(chan struct{}), waited: make(chan error, 1)}
	b = &bench{eng, h.Terminals, connect(t, h)}
	id, pid = b.sleeper(t, session)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	answer = make(chan error, 1)
	go func() { answer <- b.calls(session, id)["wait_for_exit"](ctx) }()
	<-h.waiting
	return b, h, id, pid, cancel, answer
}

func TestCancelledWait(t *testing.T) {
	b, h, id, pid, cancel, answer := waitingAgent(t)
	cancel()
	assert.ErrorIs(t, <-h.waited, context.Canceled, "on the client's side")
	err := <-answer
	assert.Equal(t, cancelled, code(err), "on the agent's side: %v", err)
	assert.True(t, testkit.Alive(pid), "the command has ended with the waiting")
	assert.Nil(t, b.output(t, id).ExitStatus)
}

func TestConnectionClosedDuringWait(t *testing.T) {
	b, h, id, pid, _, answer := waitingAgent(t)
	b.hangUp()
	<-b.client.Done()
	assert.ErrorIs(t, <-h.waited, context.Canceled, "on the client's side")
	err := <-answer
	assert.Equal(t, internalError, code(err), "on the agent's side: %v", err)
	assert.True(t, testkit.Alive(pid), "the command has ended with the connection")
	require.NoError(t, b.terms.EndAllSessions(testkit.Within(t)))
	assert.False(t, testkit.Alive(pid), "after EndAllSessions")
	_, err = b.eng.Info(testkit.Within(t), id)
	assert.ErrorIs(t, err, procession.ErrNotFound, "after EndAllSessions")
}

package acpterm_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/coder/acp-go-sdk"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/acpterm"
)

func TestSessionsAreIsolated(t *testing.T) {
	b := newBench(t)
	one, onePID := b.sleeper(t, "one")
	two, twoPID := b.sleeper(t, "two")
	for _, other := range []acp.SessionId{"two", "three", "", "ONE", "one "} {
		b.unknown(t, other, one)
	}
	b.unknown(t, "one", two)
	if !alive(onePID) || !alive(twoPID) {
		t.Error("a refused request has done something")
	}
	for name, call := range b.calls("one", one) {
		if name == "output" || name == "kill" {
			if err := call(within(t)); err != nil {
				t.Errorf("terminal/%s by its own session: %v", name, err)
			}
		}
	}
}

// It is agents who choose session IDs: two of them may choose the same.
func TestConnectionsAreIsolated(t *testing.T) {
	eng := newEngine(t)
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
	if err := benches[0].terms.EndSession(within(t), session); err != nil {
		t.Fatal(err)
	}
	if err := benches[0].terms.EndAllSessions(within(t)); err != nil {
		t.Fatal(err)
	}
	if alive(pids[0]) || !alive(pids[1]) {
		t.Errorf("of the ended connection alive: %v, of the other: %v", alive(pids[0]), alive(pids[1]))
	}
	benches[1].kill(t, ids[1])
}

func TestEndSession(t *testing.T) {
	b := newBench(t)
	own := must(b.eng.Start(within(t), procession.Shell("exec sleep 1000")))(t)
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
		if err := b.terms.EndSession(within(t), session); err != nil {
			t.Fatal(err)
		}
	}
	for i, id := range append(ids, ended) {
		b.unknown(t, session, id)
		if i < len(pids) && alive(pids[i]) {
			t.Errorf("%s is alive", id)
		}
	}
	if !alive(otherPID) {
		t.Error("a terminal of another session was ended")
	}

	id, pid := b.sleeper(t, session) // a session that was loaded again
	if err := b.terms.EndAllSessions(within(t)); err != nil {
		t.Fatal(err)
	}
	b.unknown(t, session, id)
	b.unknown(t, "other", other)
	if alive(pid) || alive(otherPID) {
		t.Error("a terminal is alive after EndAllSessions")
	}
	if info := must(b.eng.Info(within(t), own))(t); info.State != procession.Running {
		t.Errorf("a process of the program's own is %v", info.State)
	}
}

func TestEndSessionHonoursItsContext(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.terms.EndSession(ctx, session); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := b.terms.EndAllSessions(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Whatever the agent creates while its session ends, a last EndSession leaves
// nothing.
func TestCreationsWhileSessionsEnd(t *testing.T) {
	b := newBench(t)
	ctx := within(t)
	var agents sync.WaitGroup
	for i := range 8 {
		agents.Go(func() {
			for range 10 {
				r := shell("exec sleep 1000")
				r.SessionId = acp.SessionId(fmt.Sprint("s", i%2))
				if _, err := b.agent.CreateTerminal(ctx, r); err != nil && (code(err) != notFound || !strings.Contains(err.Error(), "has ended")) {
					t.Error(err)
				}
			}
		})
	}
	var stop atomic.Bool
	var ender sync.WaitGroup
	ender.Go(func() {
		for !stop.Load() {
			if err := errors.Join(b.terms.EndSession(ctx, "s0"), b.terms.EndAllSessions(ctx)); err != nil {
				t.Error(err)
			}
		}
	})
	agents.Wait()
	stop.Store(true)
	ender.Wait()
	if err := b.terms.EndAllSessions(ctx); err != nil {
		t.Fatal(err)
	}
	if list := must(b.eng.List(ctx))(t); len(list) != 0 {
		t.Errorf("%d processes are left", len(list))
	}
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
	eng := newEngine(t)
	terms := acpterm.New(eng)
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, ctx := range map[string]context.Context{"before": ended, "during": &latecomer{Context: context.Background()}} {
		if _, err := terms.CreateTerminal(ctx, shell("exec sleep 1000")); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled %s: %v", name, err)
		}
	}
	if list := must(eng.List(within(t)))(t); len(list) != 0 {
		t.Errorf("%d processes are left", len(list))
	}
}

// waitingAgent is an agent that waits for a terminal that will not end by itself,
// when the client has heard of it.
func waitingAgent(t *testing.T) (b *bench, h *host, id string, pid int, cancel func(), answer chan error) {
	eng := newEngine(t)
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
	if err := <-h.waited; !errors.Is(err, context.Canceled) {
		t.Errorf("on the client's side: %v", err)
	}
	if err := <-answer; code(err) != cancelled {
		t.Errorf("on the agent's side: %v", err)
	}
	if !alive(pid) {
		t.Error("the command has ended with the waiting")
	}
	if out := b.output(t, id); out.ExitStatus != nil {
		t.Errorf("exit status %+v", out.ExitStatus)
	}
}

func TestConnectionClosedDuringWait(t *testing.T) {
	b, h, id, pid, _, answer := waitingAgent(t)
	b.hangUp()
	<-b.client.Done()
	if err := <-h.waited; !errors.Is(err, context.Canceled) {
		t.Errorf("on the client's side: %v", err)
	}
	if err := <-answer; code(err) != internalError {
		t.Errorf("on the agent's side: %v", err)
	}
	if !alive(pid) {
		t.Error("the command has ended with the connection")
	}
	if err := b.terms.EndAllSessions(within(t)); err != nil {
		t.Fatal(err)
	}
	if alive(pid) {
		t.Error("it is alive after EndAllSessions")
	}
	if _, err := b.eng.Info(within(t), id); !errors.Is(err, procession.ErrNotFound) {
		t.Errorf("Info after EndAllSessions: %v", err)
	}
}

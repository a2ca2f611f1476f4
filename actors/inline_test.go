package actors

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/messages"
)

// scripted is an actor that is told what to do with what it is given.
type scripted struct {
	mailbox *mailbox
	receive func(request any)
	failed  atomic.Int64
	inside  atomic.Int64
	twice   atomic.Bool // it was given something while it had something in hand
}

func (s *scripted) InvokeUserMessage(message any) {
	if s.inside.Add(1) > 1 {
		s.twice.Store(true)
	}
	defer s.inside.Add(-1)
	s.receive(actor.UnwrapEnvelopeMessage(message))
}

func (s *scripted) InvokeSystemMessage(any)                 {}
func (s *scripted) EscalateFailure(reason any, message any) { s.failed.Add(1) }

// scriptedPool is a pool of which the turns are scripted, and Info, Monitor and Kill go on to
// a process, whose turns are, too.
func scriptedPool(t *testing.T) (c *Config, pool, process *scripted) {
	over := make(chan struct{})
	t.Cleanup(func() { close(over) })
	c = &Config{workers: newWorkers(over)}
	process = &scripted{mailbox: &mailbox{config: c, isLight: isLightForProcess}}
	pool = &scripted{mailbox: &mailbox{config: c, isLight: isLightForPool}}
	c.pool = pool.mailbox
	process.receive = func(any) {}
	pool.receive = func(any) { c.pool.forward(process.mailbox) }
	for _, s := range []*scripted{pool, process} {
		s.mailbox.RegisterHandlers(s, nil)
		t.Cleanup(func() { assert.False(t, s.twice.Load(), "a Receive was entered again") })
	}
	return c, pool, process
}

// goroutine is the number of the one that calls it.
func goroutine() string {
	var buf [64]byte
	number, _, _ := bytes.Cut(bytes.TrimPrefix(buf[:runtime.Stack(buf[:], false)], []byte("goroutine ")), []byte(" "))
	return string(number)
}

// depth is how many turns are on the stack of who calls it.
func depth() int {
	buf := make([]byte, 1<<16)
	return strings.Count(string(buf[:runtime.Stack(buf, false)]), ".(*mailbox).turn(")
}

// on is who runs a turn, and how many it is in.
type on struct {
	who   string
	depth int
}

func here() on { return on{goroutine(), depth()} }

// Who waits for an answer runs the turns that lead to it, one after the other.
func TestWhoWaitsRunsTheTurns(t *testing.T) {
	c, pool, process := scriptedPool(t)
	var ran []on
	forward := pool.receive
	pool.receive = func(m any) { ran = append(ran, here()); forward(m) }
	process.receive = func(any) { ran = append(ran, here()) }
	c.Ask(context.Background(), &messages.GetInfo{}, nil)
	me := on{goroutine(), 1}
	require.Equal(t, []on{me, me}, ran)
}

// Nobody runs a turn that is not light, nor one for who only sends, or has a lock that the
// turn takes.
func TestWhoSendsRunsNoTurn(t *testing.T) {
	for name, send := range map[string]func(c *Config){
		"a message to the pool":           func(c *Config) { c.Send(&messages.GetInfo{}, nil) },
		"one that it is given":            func(c *Config) { c.pool.PostUserMessage(&messages.GetInfo{}) },
		"one of the system":               func(c *Config) { c.pool.PostSystemMessage(&actor.Started{}); c.pool.post(&messages.GetInfo{}) },
		"a request to all":                func(c *Config) { c.Ask(context.Background(), &messages.ListProcesses{}, nil) },
		"a shutdown":                      func(c *Config) { c.Ask(context.Background(), &messages.Shutdown{}, nil) },
		"a request that needs the system": func(c *Config) { c.Ask(context.Background(), &messages.GetCapabilities{}, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			c, pool, _ := scriptedPool(t)
			var held sync.Mutex
			ran := make(chan on, 1)
			pool.receive = func(any) {
				held.Lock()
				defer held.Unlock()
				ran <- here()
			}
			held.Lock()
			send(c)
			held.Unlock()
			require.NotEqual(t, goroutine(), (<-ran).who)
		})
	}
}

// The turn of a process that asks something of the operating system is run by another
// goroutine than the caller's, whose thread may be that of another user.
func TestATurnThatSignalsIsNotTheCallers(t *testing.T) {
	c, _, process := scriptedPool(t)
	ran := make(chan on, 1)
	process.receive = func(any) { ran <- here() }
	for _, request := range []any{&messages.KillProcess{}, &messages.SendSignal{}, &messages.WriteStdin{}, &messages.CloseStdin{}, &messages.ResizeTerminal{}} {
		c.Ask(context.Background(), request, nil)
		require.NotEqual(t, goroutine(), (<-ran).who, "%T", request)
	}
}

// A caller does a little for others that have come before it, and no more than its context
// allows.
func TestWhoWaitsRunsALittleForOthers(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for name, test := range map[string]struct {
		ctx    context.Context
		others int
		other  any
		mine   bool // its own turn is run by the caller
	}{
		"nothing":                 {context.Background(), 0, nil, true},
		"little":                  {context.Background(), maxOthers, &messages.GetInfo{}, true},
		"too much":                {context.Background(), maxOthers + 1, &messages.GetInfo{}, false},
		"what is for all":         {context.Background(), 1, &messages.ListProcesses{}, false},
		"while its context ended": {ended, 1, &messages.GetInfo{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c, pool, _ := scriptedPool(t)
			var others atomic.Int64
			ran := make(chan on, 1)
			pool.receive = func(m any) {
				if _, mine := m.(*messages.WaitExit); mine {
					ran <- here()
				} else {
					others.Add(1)
				}
			}
			c.pool.mu.Lock()
			for range test.others { // they wait, and nobody runs them yet
				c.pool.user.push(test.other)
			}
			c.pool.mu.Unlock()
			c.Ask(test.ctx, &messages.WaitExit{}, nil)
			require.Equal(t, test.mine, (<-ran).who == goroutine())
			require.EqualValues(t, test.others, others.Load())
		})
	}
}

// Others that take their time are for another goroutine.
func TestWhoWaitsDoesNotRunSlowTurns(t *testing.T) {
	c, pool, _ := scriptedPool(t)
	ran := make(chan on, 10)
	pool.receive = func(any) {
		ran <- here()
		for begun := time.Now(); time.Since(begun) < 2*maxInline; {
		}
	}
	c.pool.mu.Lock()
	for range 3 {
		c.pool.user.push(&messages.GetInfo{})
	}
	c.pool.mu.Unlock()
	c.Ask(context.Background(), &messages.GetInfo{}, nil)
	require.Equal(t, goroutine(), (<-ran).who)
	for range 3 {
		require.NotEqual(t, goroutine(), (<-ran).who)
	}
}

// A turn that panics is its actor's failure, and the caller's only because it is not
// answered; one that ends its goroutine, too. The next turn is run in either case.
func TestATurnThatFails(t *testing.T) {
	for name, fail := range map[string]func(){"a panic": func() { panic("a turn") }, "Goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			c, pool, _ := scriptedPool(t)
			next := make(chan on, 1)
			pool.receive = func(m any) {
				if _, first := m.(*messages.GetInfo); first {
					c.pool.post(&messages.WaitExit{}) // it waits, in the middle of the turn
					fail()
				}
				next <- here()
			}
			go c.Ask(context.Background(), &messages.GetInfo{}, nil)
			require.Equal(t, 1, (<-next).depth)
			require.EqualValues(t, 1, pool.failed.Load())
			testkit.Eventually(t, func(a *assert.CollectT) { assert.False(a, isRunning(c.pool), "its turns go on") })
			c.Ask(context.Background(), &messages.GetOutput{}, nil)
			require.Equal(t, on{goroutine(), 1}, <-next)
		})
	}
}

// Whoever asks and sends at once, nothing is lost, and what one sends comes in order.
func TestTurnsOfManyCallers(t *testing.T) {
	const callers, each = 8, 2000
	c, _, process := scriptedPool(t)
	var last [callers]int
	var received atomic.Int64
	count := func(m any) {
		if n, ok := m.(*messages.Cancel); ok { // as good as any that carries a text
			from, number := int(n.ID[0]), int(n.ID[1])<<8|int(n.ID[2])
			if assert.Equal(t, last[from]+1, number) {
				last[from] = number
			}
			received.Add(1)
		}
	}
	process.receive = count
	var all sync.WaitGroup
	for from := range callers {
		all.Go(func() {
			for n := range each {
				id := string([]byte{byte(from), byte((n + 1) >> 8), byte(n + 1)})
				if from%2 == 0 {
					c.Ask(context.Background(), &messages.Cancel{ID: id}, nil)
				} else {
					c.Send(&messages.Cancel{ID: id}, nil)
				}
			}
		})
	}
	all.Wait()
	testkit.Eventually(t, func(c *assert.CollectT) { assert.EqualValues(c, callers*each, received.Load()) })
}

func isRunning(m *mailbox) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.running
}

// What is suspended waits for its supervisor, whoever asks.
func TestASuspendedActorIsGivenNothing(t *testing.T) {
	c, pool, _ := scriptedPool(t)
	ran := make(chan on, 1)
	pool.receive = func(any) { ran <- here() }
	c.pool.PostSystemMessage(&actor.SuspendMailbox{})
	testkit.Eventually(t, func(a *assert.CollectT) { assert.False(a, isRunning(c.pool), "its turns go on") })
	c.Ask(context.Background(), &messages.GetInfo{}, nil)
	require.Equal(t, 1, c.pool.UserMessageCount())
	c.pool.PostSystemMessage(&actor.ResumeMailbox{})
	require.NotEqual(t, goroutine(), (<-ran).who)
}

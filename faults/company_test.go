//go:build linux

package faults

import (
	"context"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

// The engine in company: in an actor system that is somebody else's, among subscribers,
// askers, mailboxes, middlewares and messages that fail, block and lie. Each harms itself
// alone. The files company_*_test.go have the rows.

// newSystem is somebody's actor system, which is quiet, and of which a dead letter leaves no
// goroutine for long.
func newSystem() *actor.ActorSystem {
	quiet := slog.New(slog.DiscardHandler)
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond),
	)
}

// company is an engine in somebody's actor system. What it logs is that others fail.
func company(t *testing.T, opts ...procession.Option) (*procession.Engine, *actor.ActorSystem) {
	t.Helper()
	system := newSystem()
	quiet := procession.WithLogger(slog.New(slog.DiscardHandler))
	opts = append([]procession.Option{procession.WithActorSystem(system), quiet, procession.WithGrace(time.Second)}, opts...)
	return enginetest.New(t, opts...), system
}

// lives goes through the life of some processes, and wants all of it to go as it does
// alone.
func lives(t *testing.T, eng *procession.Engine) {
	t.Helper()
	ctx := testkit.Within(t)
	before, err := eng.List(ctx)
	require.NoError(t, err)
	spec := procession.Shell("echo ready; sleep 1000")
	spec.Ready = &procession.Probe{Pattern: "^ready$"}
	id, err := eng.Start(ctx, spec)
	require.NoError(t, err)
	require.NoError(t, eng.WaitReady(ctx, id))
	spec = procession.Shell("exit 3")
	spec.Restart = procession.Policy{When: procession.OnFailure, MaxRestarts: 1, MinBackoff: time.Millisecond}
	fails, err := eng.Start(ctx, spec)
	require.NoError(t, err)
	exit, err := eng.Wait(ctx, fails)
	require.NoError(t, err)
	assert.Equal(t, 3, exit.Code)
	exit, err = eng.Kill(ctx, id)
	require.NoError(t, err)
	assert.Equal(t, "SIGTERM", exit.Signal)
	require.NoError(t, eng.Release(ctx, id))
	require.NoError(t, eng.Release(ctx, fails))
	_, err = eng.Start(ctx, procession.Shell("sleep 1000"))
	require.NoError(t, err)
	list, err := eng.List(ctx)
	require.NoError(t, err)
	assert.Len(t, list, len(before)+1)
}

// shutsDown shuts the engine down, and wants nothing to be left. It may be called on any
// goroutine.
func shutsDown(t *testing.T, eng *procession.Engine, want procession.ShutdownReport) {
	t.Helper()
	list, err := eng.List(testkit.Within(t))
	assert.NoError(t, err)
	report, err := eng.Shutdown(testkit.Within(t))
	assert.NoError(t, err)
	assert.Equal(t, want, report)
	for _, info := range list {
		leavesNothing(t, info.ID)
	}
}

var terminatedOne = procession.ShutdownReport{Terminated: 1}

func TestCompanySubscribersThatFail(t *testing.T) {
	kinds := map[string]func(any) bool{
		"ProcessStarted":    func(m any) bool { _, is := m.(*messages.ProcessStarted); return is },
		"ProcessReady":      func(m any) bool { _, is := m.(*messages.ProcessReady); return is },
		"ProcessStopping":   func(m any) bool { _, is := m.(*messages.ProcessStopping); return is },
		"ProcessExited":     func(m any) bool { _, is := m.(*messages.ProcessExited); return is },
		"ProcessRestarting": func(m any) bool { _, is := m.(*messages.ProcessRestarting); return is },
		"ProcessReleased":   func(m any) bool { _, is := m.(*messages.ProcessReleased); return is },
		"any":               func(m any) bool { _, is := m.(messages.Event); return is },
	}
	for kind, is := range kinds {
		for how, fail := range map[string]func(){"panics": func() { panic("a subscriber") }, "Goexit": runtime.Goexit} {
			t.Run(kind+", "+how, func(t *testing.T) {
				eng, system := company(t)
				var failed atomic.Int32
				system.EventStream.Subscribe(func(m any) {
					if is(m) {
						failed.Add(1)
						fail()
					}
				})
				lives(t, eng)
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					assert.Positive(c, failed.Load(), "it is not told")
				}, 10*time.Second, tick)
				shutsDown(t, eng, terminatedOne)
			})
		}
	}
}

func TestCompanySubscribersThatBlock(t *testing.T) {
	for name, subscribe := range map[string]func(t *testing.T, eng *procession.Engine, locked *sync.Mutex) func(any){
		"for ever": func(t *testing.T, _ *procession.Engine, _ *sync.Mutex) func(any) {
			end := make(chan struct{})
			t.Cleanup(func() { close(end) })
			return func(any) { <-end }
		},
		"until a caller has what it holds": func(_ *testing.T, _ *procession.Engine, locked *sync.Mutex) func(any) {
			return func(any) {
				locked.Lock()
				defer locked.Unlock()
			}
		},
		"it calls the engine": func(_ *testing.T, eng *procession.Engine, _ *sync.Mutex) func(any) {
			return func(m any) {
				if started, is := m.(*messages.ProcessStarted); is {
					eng.Wait(context.Background(), started.ID)
				}
			}
		},
		"it shuts the engine's process down": func(_ *testing.T, eng *procession.Engine, _ *sync.Mutex) func(any) {
			return func(m any) {
				if exited, is := m.(*messages.ProcessExited); is {
					eng.Output(context.Background(), exited.ID)
					eng.List(context.Background())
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			var locked sync.Mutex
			handle := subscribe(t, eng, &locked)
			system.EventStream.Subscribe(func(m any) {
				if _, is := m.(messages.Event); is {
					handle(m)
				}
			})
			locked.Lock()
			lives(t, eng)
			shutsDown(t, eng, terminatedOne)
			locked.Unlock()
		})
	}
}

// Listeners of the engine's own hear everything, whatever subscribers do.
func TestCompanyEventsGoOn(t *testing.T) {
	eng, system := company(t)
	before := system.EventStream.Length()
	for range 10 {
		eng.Events(t.Context()) // and never ranged
	}
	assert.Equal(t, before, system.EventStream.Length())
	end := make(chan struct{})
	defer close(end)
	system.EventStream.Subscribe(func(m any) {
		if _, is := m.(messages.Event); is {
			<-end
		}
	})
	events := eng.Events(t.Context())
	lives(t, eng)
	shutsDown(t, eng, terminatedOne)
	var started, exited, released int
	for event := range events {
		switch event.(type) {
		case *messages.ProcessStarted:
			started++
		case *messages.ProcessExited:
			exited++
		case *messages.ProcessReleased:
			released++
		}
	}
	assert.Equal(t, 4, started)
	assert.Equal(t, 4, exited)
	assert.Equal(t, 2, released)
}

// A logger is somebody's code, too.
func TestCompanyALoggerThatFails(t *testing.T) {
	for how, fail := range map[string]func(){"panics": func() { panic("a logger") }, "Goexit": runtime.Goexit} {
		t.Run(how, func(t *testing.T) {
			eng, system := company(t, procession.WithLogger(slog.New(failing{slog.DiscardHandler, fail})))
			system.EventStream.Subscribe(func(m any) {
				if _, is := m.(messages.Event); is {
					panic("so that there is something to be logged")
				}
			})
			lives(t, eng)
			shutsDown(t, eng, terminatedOne)
		})
	}
}

type failing struct {
	slog.Handler
	fail func()
}

func (failing) Enabled(context.Context, slog.Level) bool { return true }

func (f failing) Handle(context.Context, slog.Record) error {
	f.fail()
	return nil
}

// Thousands that exit at once: a subscriber hears of each, and each time in order.
func TestCompanyManyExitsAtOnce(t *testing.T) {
	const n = 4000
	eng, system := company(t)
	var mu sync.Mutex
	last := map[string]string{} // event by process
	exited, disorder := 0, 0
	subscription := system.EventStream.Subscribe(func(event any) {
		mu.Lock()
		defer mu.Unlock()
		note := func(id, what, after string) {
			if last[id] != after {
				disorder++
			}
			last[id] = what
		}
		switch m := event.(type) {
		case *messages.ProcessStarted:
			note(m.ID, "started", "")
		case *messages.ProcessStopping:
			note(m.ID, "stopping", "started")
		case *messages.ProcessExited:
			note(m.ID, "exited", "stopping")
			exited++
		}
	})
	defer system.EventStream.Unsubscribe(subscription)
	var starts sync.WaitGroup
	for range 8 {
		starts.Go(func() {
			for range n / 8 {
				_, err := eng.Start(testkit.Within(t), procession.Spec{Command: "sleep", Args: []string{"1000"}})
				assert.NoError(t, err)
			}
		})
	}
	starts.Wait()
	killed, err := eng.KillAll(testkit.Within(t), procession.Selector{})
	require.NoError(t, err)
	assert.Equal(t, n, killed)
	testkit.Eventually(t, func(c *assert.CollectT) {
		mu.Lock()
		defer mu.Unlock()
		assert.Equal(c, n, exited)
	}, "all is told")
	assert.Zero(t, disorder, "events out of order")
}

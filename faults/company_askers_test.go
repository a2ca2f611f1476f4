//go:build linux

package faults

import (
	"context"
	"fmt"
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

// addressed is a receiver with code of its own.
type addressed struct{ take func(message any) }

func (a *addressed) SendUserMessage(_ *actor.PID, message any) { a.take(message) }
func (a *addressed) SendSystemMessage(*actor.PID, any)         {}
func (a *addressed) Stop(*actor.PID)                           {}

// middleware is one of a mailbox.
type middleware struct{ posted func() }

func (middleware) MailboxStarted()       {}
func (m middleware) MessagePosted(any)   { m.posted() }
func (middleware) MessageReceived(any)   {}
func (middleware) MailboxEmpty()         {}
func ignores(actor.Context)              {}
func (s slowly) Receive(_ actor.Context) { <-s.end }

// slowly is an actor that takes its time.
type slowly struct{ end chan struct{} }

// failingAskers are askers that harm whoever answers them.
func failingAskers(t *testing.T, system *actor.ActorSystem) map[string]*actor.PID {
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	at := func(name string, take func(any)) *actor.PID {
		pid, absent := system.ProcessRegistry.Add(&addressed{take}, name)
		require.True(t, absent, "the name %q is taken", name)
		return pid
	}
	var spawned atomic.Bool // before that they are told that they begin
	defer spawned.Store(true)
	once := func(do func()) func() {
		return func() {
			if spawned.Load() {
				do()
			}
		}
	}
	block, fails, goexit := once(func() { <-end }), once(func() { panic("an asker") }), once(runtime.Goexit)
	return map[string]*actor.PID{
		"slow, with a small mailbox":        system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return slowly{end} }, actor.WithMailbox(actor.Bounded(2)))),
		"mailbox panics":                    system.Root.Spawn(actor.PropsFromFunc(ignores, actor.WithMailbox(actor.Unbounded(middleware{fails})))),
		"mailbox ends the goroutine":        system.Root.Spawn(actor.PropsFromFunc(ignores, actor.WithMailbox(actor.Unbounded(middleware{goexit})))),
		"mailbox blocks":                    system.Root.Spawn(actor.PropsFromFunc(ignores, actor.WithMailbox(actor.Unbounded(middleware{block})))),
		"a Process that panics":             at("panics", func(any) { fails() }),
		"a Process that blocks":             at("blocks", func(any) { block() }),
		"a Process that ends the goroutine": at("ends", func(any) { goexit() }),
		"nobody":                            actor.NewPID("", ""), "a stranger": actor.NewPID("far:1", "away"),
	}
}

// An asker that fails or blocks when it is answered, whatever it asks for, and when.
func TestCompanyAskersThatFail(t *testing.T) {
	names := failingAskers(t, newSystem())
	for name := range names {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			asker := failingAskers(t, system)[name]
			id := enginetest.Start(t, eng, procession.Shell("echo something; sleep 1000"))
			root := actor.NewRootContext(system, nil)
			ask := func(m any) { root.RequestWithCustomSender(eng.Pool(), m, asker) }
			for range 10 {
				ask(&messages.GetInfo{ID: id})
				ask(&messages.GetOutput{ID: id})
				ask(&messages.GetInfo{ID: "nobody"})
				ask(&messages.ListProcesses{})
			}
			for range 3 {
				ask(&messages.StartProcess{Spec: procession.Shell("exit 1")})
				ask(&messages.StartProcess{Spec: procession.Spec{Command: "/nope"}})
				ask(&messages.Monitor{ID: id})
				ask(&messages.WaitExit{ID: id})
				ask(&messages.WaitReady{ID: id})
				ask(&messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Cursor: 10, Wait: -1}})
			}
			_, err := eng.KillAll(testkit.Within(t), procession.Selector{})
			require.NoError(t, err)
			_, err = eng.ReleaseAll(testkit.Within(t), procession.Selector{})
			require.NoError(t, err)
			lives(t, eng)
			ask(&messages.Shutdown{})
			if _, err = eng.Shutdown(testkit.Within(t)); err != nil { // it may be the second one
				require.ErrorIs(t, err, procession.ErrClosed)
			}
			leavesNothing(t, id)
		})
	}
}

// What is answered to an actor comes in the order in which it has asked.
func TestCompanyAnswersComeInOrder(t *testing.T) {
	eng, system := company(t)
	id := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
	const questions = 5000
	answers := make(chan any, questions)
	asker := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case *messages.Info, *messages.Error:
			answers <- m
		case *actor.Started:
			for n := range questions {
				if n%2 == 0 {
					ctx.Request(eng.Pool(), &messages.GetInfo{ID: id})
				} else {
					ctx.Request(eng.Pool(), &messages.SendSignal{ID: id, Signal: 1000})
				}
			}
		}
	}))
	for n := range questions {
		select {
		case answer := <-answers:
			want := any(&messages.Info{})
			if n%2 == 1 {
				want = &messages.Error{}
			}
			require.IsType(t, want, answer, "answer %d", n)
		case <-time.After(30 * time.Second):
			require.Fail(t, "no answer", "after %d", n)
		}
	}
	system.Root.Stop(asker)
	shutsDown(t, eng, terminatedOne)
}

// Many waiters whose context ends at once do not make a process deaf.
func TestCompanyManyWaitersThatGo(t *testing.T) {
	for name, wait := range map[string]func(ctx context.Context, eng *procession.Engine, id string) error{
		"Wait": func(ctx context.Context, eng *procession.Engine, id string) error {
			_, err := eng.Wait(ctx, id)
			return err
		},
		"Read": func(ctx context.Context, eng *procession.Engine, id string) error {
			_, err := eng.Read(ctx, id, procession.ReadOptions{Wait: -1})
			return err
		},
		"WaitReady": func(ctx context.Context, eng *procession.Engine, id string) error { return eng.WaitReady(ctx, id) },
		"Write": func(ctx context.Context, eng *procession.Engine, id string) error {
			_, err := eng.Write(ctx, id, make([]byte, 1<<20))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			eng, _ := company(t)
			spec := procession.Shell("exec sleep 1000")
			spec.Ready, spec.Stdin = &procession.Probe{Pattern: "never"}, true
			id := enginetest.Start(t, eng, spec)
			took := func(n int) time.Duration {
				ctx, cancel := context.WithCancel(context.Background())
				var wg sync.WaitGroup
				var waits atomic.Int32
				for range n {
					wg.Go(func() {
						waits.Add(1)
						assert.ErrorIs(t, wait(ctx, eng, id), context.Canceled)
					})
				}
				testkit.Eventually(t, func(c *assert.CollectT) {
					assert.EqualValues(c, n, waits.Load(), "all wait")
				})
				_, err := eng.Info(testkit.Within(t), id) // which comes after them
				require.NoError(t, err)
				begun := time.Now()
				cancel()
				enginetest.Info(t, eng, id)
				wg.Wait()
				return time.Since(begun)
			}
			took(100)
			few, many := took(1000), took(10_000)
			assert.Less(t, many, 40*few+100*time.Millisecond, fmt.Sprintf("%v for 1,000", few)) // 100 times as long, if it were quadratic
			shutsDown(t, eng, terminatedOne)
		})
	}
}

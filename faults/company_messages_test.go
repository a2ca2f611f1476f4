//go:build linux

package faults

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

// batch is how protoactor sends many messages as one.
type batchOf []any

func (b batchOf) GetMessages() []any { return b }

// responds has an answer of its own, which an actor would give for it.
type responds struct{ panics bool }

func (r *responds) GetAutoResponse(actor.Context) any {
	if r.panics {
		panic("a stranger's answer")
	}
	return "an answer"
}

// forged are what only the actor system says, or what is nothing, or no request.
func forged(self *actor.PID) map[string]any {
	return map[string]any{
		"Started": &actor.Started{}, "Stopping": &actor.Stopping{}, "Stopped": &actor.Stopped{}, "Restarting": &actor.Restarting{},
		"Terminated of nobody": &actor.Terminated{}, "Terminated of a stranger": &actor.Terminated{Who: actor.NewPID("far", "away")},
		"Terminated of itself": &actor.Terminated{Who: self}, "Watch": &actor.Watch{Watcher: self}, "Watch by nobody": &actor.Watch{},
		"Unwatch": &actor.Unwatch{}, "Stop": &actor.Stop{}, "Restart": &actor.Restart{}, "Failure": &actor.Failure{Who: self},
		"SuspendMailbox": &actor.SuspendMailbox{}, "ResumeMailbox": &actor.ResumeMailbox{}, "ReceiveTimeout": &actor.ReceiveTimeout{},
		"Touch": &actor.Touch{}, "Touched": &actor.Touched{}, "DeadLetterEvent": &actor.DeadLetterEvent{}, "DeadLetterResponse": &actor.DeadLetterResponse{},
		"an envelope": &actor.MessageEnvelope{}, "a PID": self, "by value": actor.Stopped{}, "a request by value": messages.GetInfo{},
		"nil": nil, "no PID": (*actor.PID)(nil), "no Stopped": (*actor.Stopped)(nil), "no request": (*messages.StartProcess)(nil), "no envelope": (*actor.MessageEnvelope)(nil),
		"text": "stop", "a func": func() {}, "an answer of its own": &responds{}, "an answer that panics": &responds{panics: true},
		"a batch of them": batchOf{nil, &actor.Stopped{}, &messages.GetInfo{ID: "x"}, (*messages.Shutdown)(nil), batchOf{&actor.Stop{}}},
		"an empty batch":  batchOf{},
	}
}

// A message that only the actor system may send is refused when somebody else sends it,
// wrapped in whatever way, to the pool or to the actor of a process.
func TestCompanyForgedMessages(t *testing.T) {
	eng, system := company(t)
	id := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
	process := actor.NewPID(eng.Pool().Address, eng.Pool().Id+"/"+id)
	for _, to := range []*actor.PID{eng.Pool(), process} {
		for name, message := range forged(to) {
			t.Run(name, func(t *testing.T) {
				system.Root.Send(to, message)
				future := system.Root.RequestFuture(to, message, 10*time.Second)
				_, isBatch := message.(batchOf)
				if !isBatch && message != nil {
					answer, err := future.Result()
					require.NoError(t, err)
					require.IsType(t, &messages.Error{}, answer)
					assert.Equal(t, messages.CodeInvalidRequest, answer.(*messages.Error).Code)
				}
				info := enginetest.Info(t, eng, id)
				assert.Equal(t, procession.Running, info.State)
			})
		}
	}
	idles(t)
	require.NoError(t, eng.Release(testkit.Within(t), id))
	inbox, _ := system.ProcessRegistry.Get(eng.Pool())
	shutsDown(t, eng, procession.ShutdownReport{})
	for _, message := range forged(eng.Pool()) {
		inbox.SendUserMessage(eng.Pool(), message) // also when nobody is there any more
	}
	idles(t)
}

// idles wants this program to come to rest.
func idles(t *testing.T) {
	t.Helper()
	const window = 200 * time.Millisecond
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		before := spent(t)
		time.Sleep(window) // in which nothing happens
		assert.Less(c, spent(t)-before, window/5)
	}, 10*time.Second, tick, "it comes to rest")
}

// spent is the CPU time of this program.
func spent(t *testing.T) time.Duration {
	t.Helper()
	var usage unix.Rusage
	assert.NoError(t, unix.Getrusage(unix.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// An actor that forwards all that it does not know forwards also what the system tells it
// of its own life.
func TestCompanyActorsThatForward(t *testing.T) {
	for name, end := range map[string]func(system *actor.ActorSystem, forwards *actor.PID){
		"stops":       func(system *actor.ActorSystem, forwards *actor.PID) { system.Root.Stop(forwards) },
		"is poisoned": func(system *actor.ActorSystem, forwards *actor.PID) { system.Root.Poison(forwards) },
		"panics":      func(system *actor.ActorSystem, forwards *actor.PID) { system.Root.Send(forwards, "panic") },
		"panics until it stops": func(system *actor.ActorSystem, forwards *actor.PID) {
			for range 20 {
				system.Root.Send(forwards, "panic")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			id := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
			forwarded := make(chan any, 100)
			forwards := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if ctx.Message() == "panic" {
					panic("an actor that forwards")
				}
				ctx.Forward(eng.Pool())
				forwarded <- ctx.Message()
			}))
			answer, err := system.Root.RequestFuture(forwards, &messages.GetInfo{ID: id}, 10*time.Second).Result()
			require.NoError(t, err)
			assert.IsType(t, &messages.Info{}, answer)
			begun := len(forwarded)
			end(system, forwards)
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.Greater(c, len(forwarded), begun, "it forwards what it is told")
			}, 10*time.Second, tick)
			lives := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
			enginetest.Kill(t, eng, lives)
			shutsDown(t, eng, terminatedOne)
			system.Root.Stop(forwards)
		})
	}
}

// The middlewares of the user's root context see nothing of what the engine says to
// itself.
func TestCompanyMiddlewares(t *testing.T) {
	for name, middleware := range map[string]actor.SenderMiddleware{
		"drops": func(actor.SenderFunc) actor.SenderFunc {
			return func(actor.SenderContext, *actor.PID, *actor.MessageEnvelope) {}
		},
		"panics": func(actor.SenderFunc) actor.SenderFunc {
			return func(actor.SenderContext, *actor.PID, *actor.MessageEnvelope) { panic("a middleware") }
		},
		"doubles": func(next actor.SenderFunc) actor.SenderFunc {
			return func(ctx actor.SenderContext, to *actor.PID, envelope *actor.MessageEnvelope) {
				next(ctx, to, envelope)
				next(ctx, to, envelope)
			}
		},
		"changes": func(next actor.SenderFunc) actor.SenderFunc {
			return func(ctx actor.SenderContext, to *actor.PID, _ *actor.MessageEnvelope) {
				next(ctx, to, &actor.MessageEnvelope{Message: "something else"})
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			system.Root.WithSenderMiddleware(middleware)
			lives(t, eng)
			shutsDown(t, eng, terminatedOne)
		})
	}
	t.Run("refuses to spawn", func(t *testing.T) {
		system := newSystem()
		system.Root.WithSpawnMiddleware(func(actor.SpawnFunc) actor.SpawnFunc {
			return func(*actor.ActorSystem, string, *actor.Props, actor.SpawnerContext) (*actor.PID, error) {
				return nil, fmt.Errorf("refused")
			}
		})
		eng := enginetest.New(t, procession.WithActorSystem(system), procession.WithGrace(time.Second))
		lives(t, eng)
		shutsDown(t, eng, terminatedOne)
	})
}

// Who calls may be on a thread of another user.
func TestCompanyACallerOnAThreadOfAnotherUser(t *testing.T) {
	if syscall.Geteuid() != 0 {
		t.Skip("needs root")
	}
	eng, _ := company(t)
	ids := []string{enginetest.Start(t, eng, procession.Shell("sleep 1000")), enginetest.Start(t, eng, procession.Shell("sleep 1000")), enginetest.Start(t, eng, procession.Shell("sleep 1000"))}
	onAStrangersThread(func() {
		exit, err := eng.Kill(testkit.Within(t), ids[0])
		assert.NoError(t, err)
		assert.Equal(t, "SIGTERM", exit.Signal)
		assert.NoError(t, eng.Signal(testkit.Within(t), ids[1], syscall.SIGCONT))
		assert.NoError(t, eng.Release(testkit.Within(t), ids[1]))
		shutsDown(t, eng, terminatedOne)
	})
}

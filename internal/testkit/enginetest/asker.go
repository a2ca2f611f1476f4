package enginetest

import (
	"log/slog"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// NewSystem is an actor system of the caller's, which logs nothing.
func NewSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.DiscardHandler)
	}))
}

// Asker is an actor that hands on what it is sent. It stops at the end of the test.
type Asker struct {
	PID *actor.PID
	Got chan any // what it has been sent, but by the actor system

	system *actor.ActorSystem
}

// NewAsker spawns one.
func NewAsker(t testing.TB, system *actor.ActorSystem) *Asker {
	t.Helper()
	a := &Asker{Got: make(chan any, 100), system: system}
	a.PID = system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case actor.SystemMessage, actor.AutoReceiveMessage, *actor.Started, *actor.Stopping, *actor.Stopped:
		default:
			a.Got <- ctx.Message()
		}
	}))
	t.Cleanup(func() { system.Root.StopFuture(a.PID).Wait() })
	return a
}

// Send sends a request, and does not wait for the answer.
func (a *Asker) Send(to *actor.PID, request any) {
	a.system.Root.RequestWithCustomSender(to, request, a.PID)
}

// Next is what it is sent next.
func (a *Asker) Next(t testing.TB) any {
	t.Helper()
	select {
	case answer := <-a.Got:
		return answer
	case <-time.After(testkit.Patience):
		require.FailNow(t, "no answer")
		return nil
	}
}

// Ask sends a request and returns what comes next, which must be a T.
func Ask[T any](t testing.TB, a *Asker, to *actor.PID, request any) (answer T) {
	t.Helper()
	a.Send(to, request)
	return As[T](t, a.Next(t))
}

// As is a message, which must be a T.
func As[T any](t testing.TB, message any) (as T) {
	t.Helper()
	require.IsType(t, as, message, "%+v", message)
	return message.(T)
}

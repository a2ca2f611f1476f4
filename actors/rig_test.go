package actors

import (
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/messages"
)

var pools atomic.Int64

// rig is a pool in an actor system of its own, and who asks it.
type rig struct {
	t      require.TestingT
	engine string
	system *actor.ActorSystem
	pool   *actor.PID
	failed *atomic.Int64 // how often the pool has
}

// fails makes the pool panic.
type fails struct{}

func newRig(t *testing.T) *rig { return newRigUnder(t, actor.RestartDirective) }

// newRigUnder is a rig whose pool's supervisor does that when it fails.
func newRigUnder(t *testing.T, directive actor.Directive) *rig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	r := &rig{t: t, engine: fmt.Sprintf("actors-test-%d-%d", os.Getpid(), pools.Add(1)), failed: new(atomic.Int64)}
	r.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	host, err := osproc.NewHost(r.engine)
	require.NoError(t, err)
	panics := func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(ctx actor.ReceiverContext, envelope *actor.MessageEnvelope) {
			if _, ok := envelope.Message.(*fails); ok {
				r.failed.Add(1)
				panic("the pool fails")
			}
			next(ctx, envelope)
		}
	}
	props := PoolProps(&Config{
		Host: host, Logger: quiet, Grace: 300 * time.Millisecond, OutputLimit: 1 << 20, MaxExited: -1,
	}).Configure(actor.WithReceiverMiddleware(panics))
	spawned := make(chan *actor.PID, 1)
	r.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, is := ctx.Message().(*actor.Started); is && props != nil {
			spawned <- ctx.Spawn(props)
			props = nil
		}
	}, actor.WithSupervisor(actor.NewOneForOneStrategy(10, 10*time.Second, func(any) actor.Directive { return directive }))))
	r.pool = <-spawned
	t.Cleanup(func() {
		r.ask(&messages.Shutdown{})
		r.awaitNothingLeft()
	})
	return r
}

// on is the rig for a goroutine that is not the test's: its assertions are that one's.
func (r *rig) on(t require.TestingT) *rig {
	other := *r
	other.t = t
	return &other
}

// later asks, and the answer can be waited for.
func (r *rig) later(request any) *actor.Future {
	if start, is := request.(*messages.StartProcess); is && start != nil {
		testkit.NeedsFor(r.t.(testing.TB), start.Spec.Args...)
	}
	return r.system.Root.RequestFuture(r.pool, request, testkit.Patience)
}

func (r *rig) ask(request any) any { return r.result(r.later(request)) }

func (r *rig) result(f *actor.Future) any {
	answer, err := f.Result()
	if err != actor.ErrDeadLetter {
		require.NoError(r.t, err)
	}
	return answer
}

func ask[T any](r *rig, request any) T { return is[T](r, r.ask(request)) }

// is is an answer that must be of that type.
func is[T any](r *rig, answer any) T {
	var wanted T
	require.IsType(r.t, wanted, answer, "%+v", answer)
	return answer.(T)
}

func (r *rig) start(spec messages.Spec) string {
	return ask[*messages.ProcessStarted](r, &messages.StartProcess{Spec: spec}).ID
}

func (r *rig) info(id string) *messages.Info {
	return ask[*messages.Info](r, &messages.GetInfo{ID: id})
}

// awaitText waits until the output has text.
func (r *rig) awaitText(id, text string) {
	cursor, seen := int64(0), ""
	for !strings.Contains(seen, text) {
		chunk := ask[*messages.Chunk](r, &messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Cursor: cursor, Wait: -1}})
		for _, s := range chunk.Segments {
			seen += string(s.Data)
		}
		if cursor = chunk.Next; chunk.EOF {
			require.Contains(r.t, seen, text, "the output has ended")
		}
	}
}

// panics makes a process actor panic: no run belongs to this message.
func (r *rig) panics(id string) {
	r.system.Root.Send(actor.NewPID(r.pool.Address, r.pool.Id+"/"+id), &written{})
}

// eventually waits until what a test asks the rig that it is given holds.
func (r *rig) eventually(holds func(r *rig)) {
	testkit.Eventually(r.t.(testing.TB), func(c *assert.CollectT) { holds(r.on(c)) })
}

// awaitState waits until a process is in a state.
func (r *rig) awaitState(id string, state messages.State) {
	r.eventually(func(r *rig) { assert.Equal(r.t, state.String(), r.info(id).State.String()) })
}

// awaitNothingLeft waits until no process of the rig's engine is alive.
func (r *rig) awaitNothingLeft() {
	r.eventually(func(r *rig) { assert.Empty(r.t, testkit.Marked(r.engine)) })
}

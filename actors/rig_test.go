package actors

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
)

const testPatience = 30 * time.Second

var pools atomic.Int64

// rig is a pool in an actor system of its own, and who asks it.
type rig struct {
	t      *testing.T
	engine string
	system *actor.ActorSystem
	pool   *actor.PID
	failed atomic.Int64 // how often the pool has
}

// fails makes the pool panic.
type fails struct{}

func newRig(t *testing.T) *rig { return newRigUnder(t, actor.RestartDirective) }

// newRigUnder is a rig whose pool's supervisor does that when it fails.
func newRigUnder(t *testing.T, directive actor.Directive) *rig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	r := &rig{t: t, engine: fmt.Sprintf("actors-test-%d-%d", os.Getpid(), pools.Add(1))}
	r.system = actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet }))
	host, err := osproc.NewHost(r.engine)
	if err != nil {
		t.Fatal(err)
	}
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
		r.eventually("nothing is left", func() bool { return len(r.marked()) == 0 })
	})
	return r
}

// later asks, and the answer can be waited for.
func (r *rig) later(request any) *actor.Future {
	return r.system.Root.RequestFuture(r.pool, request, testPatience)
}

func (r *rig) ask(request any) any {
	r.t.Helper()
	return r.result(r.later(request))
}

func (r *rig) result(f *actor.Future) any {
	r.t.Helper()
	answer, err := f.Result()
	if err != nil && err != actor.ErrDeadLetter {
		r.t.Fatal(err)
	}
	return answer
}

func ask[T any](r *rig, request any) T {
	r.t.Helper()
	answer, ok := r.ask(request).(T)
	if !ok {
		r.t.Fatalf("%T is answered with something else than %T", request, answer)
	}
	return answer
}

func (r *rig) start(spec messages.Spec) string {
	r.t.Helper()
	return ask[*messages.ProcessStarted](r, &messages.StartProcess{Spec: spec}).ID
}

func (r *rig) info(id string) *messages.Info {
	r.t.Helper()
	return ask[*messages.Info](r, &messages.GetInfo{ID: id})
}

// awaitText waits until the output has text.
func (r *rig) awaitText(id, text string) {
	r.t.Helper()
	cursor, seen := int64(0), ""
	for !strings.Contains(seen, text) {
		chunk := ask[*messages.Chunk](r, &messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Cursor: cursor, Wait: -1}})
		for _, s := range chunk.Segments {
			seen += string(s.Data)
		}
		if cursor = chunk.Next; chunk.EOF {
			r.t.Fatalf("%q ended without %q", seen, text)
		}
	}
}

// panics makes a process actor panic: no run belongs to this message.
func (r *rig) panics(id string) {
	r.system.Root.Send(actor.NewPID(r.pool.Address, r.pool.Id+"/"+id), &written{})
}

func (r *rig) eventually(what string, holds func() bool) {
	r.t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > testPatience {
			r.t.Fatalf("not within %v: %s", testPatience, what)
		}
	}
}

// marked are the processes, no zombies, that carry the mark of the rig's engine.
func (r *rig) marked() (found []int) {
	names, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range names {
		env, err := os.ReadFile(name) // that of a zombie is empty
		if err == nil && bytes.Contains(env, []byte(osproc.VariableEngine+"="+r.engine+"\x00")) {
			pid, _ := strconv.Atoi(strings.Split(name, "/")[2])
			found = append(found, pid)
		}
	}
	return found
}

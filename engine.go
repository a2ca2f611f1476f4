package procession

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/actors"
	"github.com/procession-go/procession/internal/posted"
	"github.com/procession-go/procession/internal/reply"
	"github.com/procession-go/procession/messages"
)

// Engine starts, watches and ends processes. All its methods may be called from
// any goroutine. Each sends one message to the engine's pool and waits for the
// answer, or for the end of its context, which ends the waiting and never the
// process.
type Engine struct {
	system  *actor.ActorSystem
	pool    *actor.PID
	config  *actors.Config
	replies *reply.Addresses
}

// New makes an engine. Shutdown ends it.
func New(opts ...Option) (*Engine, error) {
	o, err := choose(opts)
	if err != nil {
		return nil, fmt.Errorf("procession: %w", err)
	}
	e := &Engine{system: o.system}
	if e.config, err = o.config(); err != nil { // first, so that a guardian starts up meanwhile
		return nil, fmt.Errorf("procession: %w", err)
	}
	if e.system == nil {
		e.system = actor.NewActorSystem(
			actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return quiet(o.logger) }),
			actor.WithDeadLetterRequestLogging(false),
			actor.WithDeadLetterThrottleCount(0),
			actor.WithDeadLetterThrottleInterval(time.Millisecond), // a goroutine lives that long after each
		)
	}
	e.replies = reply.NewAddresses(e.system)
	root := actor.NewRootContext(e.system, nil) // without the middlewares of the user's
	if e.pool, err = root.SpawnNamed(actors.PoolProps(e.config), "procession"+e.system.ProcessRegistry.NextId()); err != nil {
		e.config.Host.Close(time.Now())
		return nil, fmt.Errorf("procession: spawn the pool: %w", err)
	}
	return e, nil
}

// Pool is the engine's pool actor, which understands the messages of package
// messages.
func (e *Engine) Pool() *actor.PID { return e.pool }

// System is the actor system that the engine runs in.
func (e *Engine) System() *actor.ActorSystem { return e.system }

// Start starts a process and returns its ID once its program runs. If it returns
// an error nothing of the process is left, unless that is the context's: then
// the process may have been started, and is in List.
func (e *Engine) Start(ctx context.Context, spec Spec) (id string, err error) {
	started, err := ask[*messages.ProcessStarted](ctx, e, "", &messages.StartProcess{Spec: spec.Clone()})
	if err != nil {
		return "", err
	}
	return started.ID, nil
}

// Output returns all the output that is retained.
func (e *Engine) Output(ctx context.Context, id string) (Output, error) {
	return value(ask[*messages.Output](ctx, e, id, &messages.GetOutput{ID: id}))
}

// Read returns output from a cursor on, and waits for some as o says.
func (e *Engine) Read(ctx context.Context, id string, o ReadOptions) (Chunk, error) {
	return value(ask[*messages.Chunk](ctx, e, id, &messages.ReadOutput{ID: id, ReadOptions: o}))
}

// Follow yields output from a cursor on as it comes, until the process has ended
// and all of it was yielded; the last chunk has EOF set, and may be empty. An
// error ends the iteration too. Between two steps nothing is held for the
// caller: one that is slow is told by Chunk.Dropped how much it has missed, and a Release,
// which forgets the output, ends it with ErrNotFound if it has not come to the end.
// o.Wait is of no importance.
func (e *Engine) Follow(ctx context.Context, id string, o ReadOptions) iter.Seq2[Chunk, error] {
	return func(yield func(Chunk, error) bool) {
		o.Wait = -1
		for {
			chunk, err := e.Read(ctx, id, o)
			if !yield(chunk, err) || err != nil || chunk.EOF {
				return
			}
			o.Cursor = chunk.Next
		}
	}
}

// Wait returns how the process ended, once it has ended for good and its output
// is complete.
func (e *Engine) Wait(ctx context.Context, id string) (Exit, error) {
	return value(ask[*messages.Exit](ctx, e, id, &messages.WaitExit{ID: id}))
}

// Kill ends the process and everything it spawned: by its stop signal, and after
// its grace by SIGKILL, or as the last of options says if there is one. It returns once all
// of it is dead; for a process that has ended already that is no error. Another Kill only
// brings the end nearer.
func (e *Engine) Kill(ctx context.Context, id string, options ...KillOptions) (Exit, error) {
	request := &messages.KillProcess{ID: id}
	for _, o := range options {
		request.KillOptions = o
	}
	return value(ask[*messages.Exit](ctx, e, id, request))
}

// Release kills the process if it runs, and forgets it and its output.
func (e *Engine) Release(ctx context.Context, id string) error {
	_, err := ask[*messages.Released](ctx, e, id, &messages.ReleaseProcess{ID: id})
	return err
}

// Signal sends a signal to the process group, or to the last of scope if there is one.
func (e *Engine) Signal(ctx context.Context, id string, sig syscall.Signal, scope ...Scope) error {
	request := &messages.SendSignal{ID: id, Signal: sig}
	for _, s := range scope {
		request.Scope = s
	}
	_, err := ask[*messages.Done](ctx, e, id, request)
	return err
}

// Info describes a process.
func (e *Engine) Info(ctx context.Context, id string) (Info, error) {
	return value(ask[*messages.Info](ctx, e, id, &messages.GetInfo{ID: id}))
}

// Capabilities tells what the engine can do on this machine at present. Of an engine
// that has ended that is nothing.
func (e *Engine) Capabilities() Capabilities {
	told, err := ask[*messages.Capabilities](context.Background(), e, "", &messages.GetCapabilities{})
	if err != nil {
		return Capabilities{Reason: err.Error()}
	}
	return *told
}

// Shutdown ends the engine: every process gets its stop signal at once, what is
// left after one shared grace gets SIGKILL, and it returns once everything has
// been reaped. If somebody else has stopped the pool, it returns when that is true. A
// second Shutdown is ErrClosed. If the context ends before, the shutdown goes on; if it has
// ended already, nothing begins, as with every method.
func (e *Engine) Shutdown(ctx context.Context) (ShutdownReport, error) {
	defer e.replies.Close()
	report, err := ask[*messages.ShutdownReport](ctx, e, "", &messages.Shutdown{})
	if refusal, ok := err.(*messages.Error); ok && refusal.Code == messages.CodeClosed {
		select {
		case <-e.config.Ended():
		case <-ctx.Done():
			return ShutdownReport{}, ctx.Err()
		}
		if report = e.config.Report(); report != nil {
			err = nil
		}
	}
	return value(report, err)
}

// value is what p points to.
func value[T any](p *T, err error) (T, error) {
	if err != nil {
		var none T
		return none, err
	}
	return *p, nil
}

// ask sends a request about a process to the pool and waits for its answer.
func ask[T any](ctx context.Context, e *Engine, id string, request any) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	r, answered := e.replies.Get(), false
	defer func() { e.replies.Put(r, answered) }()
	e.config.Ask(ctx, request, r.PID)
	posted.Tell(ctx)
	select {
	case answer := <-r.Answered():
		answered = true
		return as[T](answer)
	case <-ctx.Done():
		e.config.Send(&messages.Cancel{ID: id}, r.PID)
		return none, ctx.Err()
	}
}

// as is an answer as the type that is expected, or as an error.
func as[T any](answer any) (T, error) {
	var none T
	switch a := answer.(type) {
	case T:
		return a, nil
	case *messages.Error:
		return none, a
	}
	return none, errors.New("procession: unexpected answer")
}

package procession

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/actors"
	"github.com/procession-go/procession/internal/posted"
	"github.com/procession-go/procession/internal/reply"
	"github.com/procession-go/procession/internal/system"
	"github.com/procession-go/procession/messages"
)

// Engine starts, supervises and ends processes. All its methods may be called from
// any goroutine. Each sends one message to the engine's pool and waits for the
// answer. When its context ends, the method returns at once with the context's
// error; the process is not affected.
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
		e.system = system.New(o.logger)
	}
	e.replies = reply.NewAddresses(e.system)
	root := actor.NewRootContext(e.system, nil) // without the middlewares of the user's
	if e.pool, err = root.SpawnNamed(actors.PoolProps(e.config), "procession"+e.system.ProcessRegistry.NextId()); err != nil {
		e.config.Host.Close(time.Now())
		return nil, fmt.Errorf("procession: spawn the pool: %w", err)
	}
	return e, nil
}

// Pool returns the engine's pool actor, which understands the messages of package
// messages.
func (e *Engine) Pool() *actor.PID { return e.pool }

// System returns the actor system that the engine runs in.
func (e *Engine) System() *actor.ActorSystem { return e.system }

// Start starts a process and returns its ID once its program runs. If Start returns
// an error, nothing of the process is left. The exception is the context's error:
// the process may have been started then, and List shows it.
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

// Read returns output from the cursor on. If there is none yet, it waits as long as
// o.Wait says.
func (e *Engine) Read(ctx context.Context, id string, o ReadOptions) (Chunk, error) {
	return value(ask[*messages.Chunk](ctx, e, id, &messages.ReadOutput{ID: id, ReadOptions: o}))
}

// Follow yields output from the cursor on as it arrives, until the process has ended and
// all of its output was yielded. The last chunk has EOF set, and may be empty. An error
// ends the iteration too. Follow holds nothing for the caller between two steps:
// Chunk.Dropped tells a slow caller how many bytes it has missed. Release forgets the
// output; an iteration that has not reached the end by then ends with ErrNotFound. o.Wait
// is ignored.
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

// Kill ends the process and everything it spawned: first with its stop signal, then after
// its grace with SIGKILL. The last of options, if there is one, overrides both. Kill
// returns once all of them are dead. Killing a process that has ended already is not an
// error. Another Kill while one is under way can only make the end come sooner.
func (e *Engine) Kill(ctx context.Context, id string, options ...KillOptions) (Exit, error) {
	request := &messages.KillProcess{ID: id}
	for _, o := range options {
		request.KillOptions = o
	}
	return value(ask[*messages.Exit](ctx, e, id, request))
}

// Release kills the process if it still runs, then forgets it and its output.
func (e *Engine) Release(ctx context.Context, id string) error {
	_, err := ask[*messages.Released](ctx, e, id, &messages.ReleaseProcess{ID: id})
	return err
}

// Signal sends a signal to the process group, or to the last element of scope if there
// is one.
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

// Capabilities returns what the engine can do on this machine at present. It is the
// zero value once the engine has ended.
func (e *Engine) Capabilities() Capabilities {
	told, err := ask[*messages.Capabilities](context.Background(), e, "", &messages.GetCapabilities{})
	if err != nil {
		return Capabilities{Reason: err.Error()}
	}
	return *told
}

// Shutdown ends the engine: every process gets its stop signal at the same time, and what
// is left after one shared grace gets SIGKILL. Shutdown returns once everything has been
// reaped, also if somebody else has stopped the pool. A second Shutdown returns ErrClosed.
// If the context ends during a Shutdown, the shutdown goes on. If the context had ended
// before the call, nothing begins, as with every method.
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

// value returns what p points to.
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

// as returns an answer as the type that is expected, or as an error.
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

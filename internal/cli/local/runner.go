// Package local runs the processes of a command line on this machine, and passes signals
// on to them. However the command line ends, none of them is left.
package local

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/backlog"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/interrupt"
)

// Runner runs the processes of one command line. However the command line ends, none of
// them is left.
type Runner struct {
	Console *console.Console
	Engine  *procession.Engine // that runs them

	signals []os.Signal   // that ask it to end
	killed  chan struct{} // closed by Kill

	mu       sync.Mutex
	stopping func(id string) // ends a process; nil until all are to end
	ids      []string
	running  int           // processes
	grace    time.Duration // the longest of theirs
}

// NewRunner makes a runner without processes. Close it in any case.
func NewRunner(c *console.Console) (*Runner, error) {
	signals := interrupt.Signals()
	options := []procession.Option{
		procession.WithGuardian(),
		procession.WithRetention(-1, 0),        // until its output has been read
		procession.WithGrace(time.Millisecond), // of Shutdown: each process has its own
		procession.WithLogger(c.Logger()),
	}
	engine, err := procession.New(options...)
	if errors.Is(err, procession.ErrUnsupported) {
		engine, err = procession.New(options[1:]...) // no guardian on this system
	}
	if err != nil {
		return nil, err
	}
	return &Runner{Console: c, signals: signals, Engine: engine, killed: make(chan struct{})}, nil
}

// Process is a process of a runner.
type Process struct {
	procession.Info
	Exit  procession.Exit // once it has ended
	Bytes int64           // of output
}

// Start starts a process. If the runner is being stopped, so is the process.
func (r *Runner) Start(spec procession.Spec) (*Process, error) {
	ctx := context.Background()
	spec.Overflow = procession.Block // for its reader
	r.mu.Lock()
	r.running++
	r.grace = max(r.grace, spec.Grace)
	r.mu.Unlock()
	id, err := r.Engine.Start(ctx, spec)
	if err != nil {
		r.ended()
		return nil, err
	}
	r.mu.Lock()
	r.ids = append(r.ids, id)
	stopping := r.stopping
	r.mu.Unlock()
	if stopping != nil {
		go stopping(id)
	}
	info, err := r.Engine.Info(ctx, id)
	return &Process{Info: info}, err
}

// ended notes that a process is gone.
func (r *Runner) ended() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running--
}

// Stop asks all processes to end, and kills those that have not ended when their grace is
// over. It returns at once.
func (r *Runner) Stop() { r.stopBy(r.end) }

func (r *Runner) end(id string) { r.Engine.Kill(context.Background(), id) }

// stopBy has end end all processes, unless they are being ended. It returns at once.
func (r *Runner) stopBy(end func(id string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping != nil {
		return
	}
	r.stopping = end
	for _, id := range r.ids {
		go end(id)
	}
}

// Kill kills all processes, and shuts the engine down. It is called once, and does not
// wait for that.
func (r *Runner) Kill() {
	close(r.killed)
	go func() {
		r.Engine.Shutdown(context.Background())
		time.AfterFunc(console.LastWords, r.Console.GiveUp)
	}()
}

// StopWhenAsked calls stop when a signal asks for the end, and kill when another asks
// again. Neither may block. From then on output does not wait for its reader for ever.
func (r *Runner) StopWhenAsked(stop, kill func()) {
	interrupt.Handle(r.signals, func(os.Signal) {
		r.endsSoon()
		stop()
	}, kill)
}

// endsSoon notes that the runner was asked to end.
func (r *Runner) endsSoon() { go r.Console.GiveUpUnread(time.Now(), r.gone) }

// Close ends what is left of the processes, and returns when nothing is.
func (r *Runner) Close() {
	ctx := context.Background()
	r.mu.Lock()
	ids := r.ids
	r.mu.Unlock()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() { r.Engine.Kill(ctx, id) }) // what its leader has left behind gets its grace
	}
	all.Wait()
	r.Engine.Shutdown(ctx)
}

// Follow passes the output of a process on to write, complete and in order, until the
// process has ended. If both streams go to the same file they keep their order among each
// other. Otherwise write may be called for both at the same time. If write fails, the runner
// is stopped, and the error returned.
func (r *Runner) Follow(p *Process, write func(procession.Segment) error) error {
	sinks := backlog.SinksTo(func(s procession.Segment) error {
		err := write(s)
		if err != nil {
			r.Stop()
		}
		return err
	}, r.Console.Together())
	return r.FollowBy(backlog.New(sinks...), p)
}

// FollowBy is Follow for a backlog that the caller has made.
func (r *Runner) FollowBy(b *backlog.Backlog, p *Process) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go b.Fill(r.Engine.Follow(ctx, p.ID, procession.ReadOptions{MaxBytes: backlog.Limit}))
	delivered := make(chan error, 1)
	go func() { delivered <- b.Deliver() }()
	var err error
	p.Exit, err = r.Engine.Wait(ctx, p.ID)
	r.ended()
	if err != nil {
		return err
	}
	err = <-delivered
	var lost error
	p.Bytes, lost = b.Sum()
	return errors.Join(err, r.UnlessKilled(lost))
}

// UnlessKilled is err, or nil once the runner has been killed: then the engine is closed,
// and errors are to be expected.
func (r *Runner) UnlessKilled(err error) error {
	if r.wasKilled() {
		return nil
	}
	return err
}

func (r *Runner) wasKilled() bool {
	select {
	case <-r.killed:
		return true
	default:
		return false
	}
}

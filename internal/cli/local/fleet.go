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

// Fleet is the processes of one command line. However it ends, none is left.
type Fleet struct {
	Console *console.Console
	signals []os.Signal // that ask it to end
	Engine  *procession.Engine
	killed  chan struct{} // closed by kill

	mu       sync.Mutex
	stopping func(id string) // ends a process; nil until all are to end
	ids      []string
	running  int           // processes
	grace    time.Duration // the longest of theirs
}

func NewFleet(c *console.Console) (*Fleet, error) {
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
	return &Fleet{Console: c, signals: signals, Engine: engine, killed: make(chan struct{})}, nil
}

// Member is a process of a fleet.
type Member struct {
	procession.Info
	Exit  procession.Exit // once it has ended
	Bytes int64           // of output
}

// Start starts a process. One that comes too late, when the fleet is being
// stopped, is stopped as well.
func (f *Fleet) Start(spec procession.Spec) (*Member, error) {
	ctx := context.Background()
	spec.Overflow = procession.Block // for its reader
	f.mu.Lock()
	f.running++
	f.grace = max(f.grace, spec.Grace)
	f.mu.Unlock()
	id, err := f.Engine.Start(ctx, spec)
	if err != nil {
		f.ended()
		return nil, err
	}
	f.mu.Lock()
	f.ids = append(f.ids, id)
	stopping := f.stopping
	f.mu.Unlock()
	if stopping != nil {
		go stopping(id)
	}
	info, err := f.Engine.Info(ctx, id)
	return &Member{Info: info}, err
}

// ended notes that a process is gone.
func (f *Fleet) ended() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
}

// Stop lets all processes end in good order. It returns at once.
func (f *Fleet) Stop() { f.stopBy(f.end) }

func (f *Fleet) end(id string) { f.Engine.Kill(context.Background(), id) }

// stopBy has end end all processes, unless they are being ended. It returns at once.
func (f *Fleet) stopBy(end func(id string)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopping != nil {
		return
	}
	f.stopping = end
	for _, id := range f.ids {
		go end(id)
	}
}

// kill, which is called once, ends all processes at once, and with them the
// engine. It does not wait for that.
func (f *Fleet) Kill() {
	close(f.killed)
	go func() {
		f.Engine.Shutdown(context.Background())
		time.AfterFunc(console.LastWords, f.Console.GiveUp)
	}()
}

// StopWhenAsked calls stop when a signal asks for the end, and kill when it asks
// again; neither may block. Output waits for its reader only so long then.
func (f *Fleet) StopWhenAsked(stop, kill func()) {
	interrupt.Handle(f.signals, func(os.Signal) {
		f.endsSoon()
		stop()
	}, kill)
}

// endsSoon notes that the fleet was asked to end.
func (f *Fleet) endsSoon() { go f.Console.GiveUpUnread(time.Now(), f.gone) }

// Close returns when nothing is left of the processes.
func (f *Fleet) Close() {
	ctx := context.Background()
	f.mu.Lock()
	ids := f.ids
	f.mu.Unlock()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() { f.Engine.Kill(ctx, id) }) // what its leader has left behind gets its grace
	}
	all.Wait()
	f.Engine.Shutdown(ctx)
}

// Follow passes the output of a process on to write, complete and in the order
// in which it came, until the process has ended. The two streams keep their order
// among each other only if they go to the same place; write is called for both at
// the same time otherwise. If it fails the fleet is stopped, and its error
// returned.
func (f *Fleet) Follow(m *Member, write func(procession.Segment) error) error {
	lanes := backlog.LanesTo(func(s procession.Segment) error {
		err := write(s)
		if err != nil {
			f.Stop()
		}
		return err
	}, f.Console.Together())
	return f.FollowBy(backlog.New(lanes...), m)
}

// FollowBy is follow by a backlog with lanes of its own.
func (f *Fleet) FollowBy(b *backlog.Backlog, m *Member) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go b.Fill(f.Engine.Follow(ctx, m.ID, procession.ReadOptions{MaxBytes: backlog.Limit}))
	delivered := make(chan error, 1)
	go func() { delivered <- b.Deliver() }()
	var err error
	m.Exit, err = f.Engine.Wait(ctx, m.ID)
	f.ended()
	if err != nil {
		return err
	}
	err = <-delivered
	var lost error
	m.Bytes, lost = b.Sum()
	return errors.Join(err, f.UnlessKilled(lost))
}

// UnlessKilled is err, nil once the fleet has been killed: the engine is closed
// then.
func (f *Fleet) UnlessKilled(err error) error {
	if f.wasKilled() {
		return nil
	}
	return err
}

func (f *Fleet) wasKilled() bool {
	select {
	case <-f.killed:
		return true
	default:
		return false
	}
}

package main

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/procession-go/procession"
)

// fleet is the processes of one command line. However it ends, none is left.
type fleet struct {
	console *console
	signals []os.Signal // that ask it to end
	engine  *procession.Engine
	killed  chan struct{} // closed by kill

	mu       sync.Mutex
	stopping func(id string) // ends a process; nil until all are to end
	ids      []string
	running  int           // processes
	grace    time.Duration // the longest of theirs
}

func newFleet(c *console) (*fleet, error) {
	signals := signalsToEnd()
	options := []procession.Option{
		procession.WithGuardian(),
		procession.WithRetention(-1, 0),        // until its output has been read
		procession.WithGrace(time.Millisecond), // of Shutdown: each process has its own
		procession.WithLogger(newLogger(c)),
	}
	engine, err := procession.New(options...)
	if errors.Is(err, procession.ErrUnsupported) {
		engine, err = procession.New(options[1:]...) // no guardian on this system
	}
	if err != nil {
		return nil, err
	}
	return &fleet{console: c, signals: signals, engine: engine, killed: make(chan struct{})}, nil
}

// member is a process of a fleet.
type member struct {
	procession.Info
	exit  procession.Exit // once it has ended
	bytes int64           // of output
}

// start starts a process. One that comes too late, when the fleet is being
// stopped, is stopped as well.
func (f *fleet) start(spec procession.Spec) (*member, error) {
	ctx := context.Background()
	spec.Overflow = procession.Block // for its reader
	f.mu.Lock()
	f.running++
	f.grace = max(f.grace, spec.Grace)
	f.mu.Unlock()
	id, err := f.engine.Start(ctx, spec)
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
	info, err := f.engine.Info(ctx, id)
	return &member{Info: info}, err
}

// ended notes that a process is gone.
func (f *fleet) ended() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.running--
}

// stop lets all processes end in good order. It returns at once.
func (f *fleet) stop() { f.stopBy(f.end) }

func (f *fleet) end(id string) { f.engine.Kill(context.Background(), id) }

// stopBy has end end all processes, unless they are being ended. It returns at once.
func (f *fleet) stopBy(end func(id string)) {
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
func (f *fleet) kill() {
	close(f.killed)
	go func() {
		f.engine.Shutdown(context.Background())
		time.AfterFunc(lastWords, func() {
			f.console.stdout.giveUp()
			f.console.stderr.giveUp()
		})
	}()
}

// stopWhenAsked calls stop when a signal asks for the end, and kill when it asks
// again; neither may block. Output waits for its reader only so long then.
func (f *fleet) stopWhenAsked(stop, kill func()) {
	onInterrupt(f.signals, func(os.Signal) {
		f.endsSoon()
		stop()
	}, kill)
}

// endsSoon notes that the fleet was asked to end.
func (f *fleet) endsSoon() { go f.giveUpUnread(time.Now()) }

// close returns when nothing is left of the processes.
func (f *fleet) close() {
	ctx := context.Background()
	f.mu.Lock()
	ids := f.ids
	f.mu.Unlock()
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() { f.engine.Kill(ctx, id) }) // what its leader has left behind gets its grace
	}
	all.Wait()
	f.engine.Shutdown(ctx)
}

// follow passes the output of a process on to write, complete and in the order
// in which it came, until the process has ended. The two streams keep their order
// among each other only if they go to the same place; write is called for both at
// the same time otherwise. If it fails the fleet is stopped, and its error
// returned.
func (f *fleet) follow(m *member, write func(procession.Segment) error) error {
	lanes := lanesTo(func(s procession.Segment) error {
		err := write(s)
		if err != nil {
			f.stop()
		}
		return err
	}, f.console.together())
	return f.followBy(newBacklog(lanes...), m)
}

// followBy is follow by a backlog with lanes of its own.
func (f *fleet) followBy(b *backlog, m *member) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go b.fill(f.engine.Follow(ctx, m.ID, procession.ReadOptions{MaxBytes: fullAt}))
	delivered := make(chan error, 1)
	go func() { delivered <- b.deliver() }()
	var err error
	m.exit, err = f.engine.Wait(ctx, m.ID)
	f.ended()
	if err != nil {
		return err
	}
	err = <-delivered
	var lost error
	m.bytes, lost = b.sum()
	return errors.Join(err, f.unlessKilled(lost))
}

// unlessKilled is err, nil once the fleet has been killed: the engine is closed
// then.
func (f *fleet) unlessKilled(err error) error {
	if f.wasKilled() {
		return nil
	}
	return err
}

func (f *fleet) wasKilled() bool {
	select {
	case <-f.killed:
		return true
	default:
		return false
	}
}

package osproc

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/output"
	"github.com/procession-go/procession/internal/spawn"
)

// Process is a leader and its tree. Its methods may be called from any goroutine,
// and do not block.
type Process struct {
	// ID is the ID of its Command.
	ID string
	// PID is the process ID of the leader, and the ID of its process group. It
	// is 0 before Started.
	PID int
	// StartedAt is when the leader was started.
	StartedAt time.Time

	host       *Host
	notify     func(Event)
	log        *output.Log
	tap        func(output.Stream, []byte) (then func()) // nil without
	ready      *OutputReady                              // allocated once, sent often
	streams    []*stream
	reading    atomic.Int32    // streams that have not ended
	taken      [2]atomic.Int64 // bytes of each that were read, and are in the log
	draining   atomic.Pointer[drain]
	discarding atomic.Bool // what comes is no output any more
	gate       *gate       // nil if its log drops what has no room
	stdin      *os.File    // pipe or terminal, nil if none
	terminal   *os.File
	theirs     [3]end // the leader's standard input, output and error, until it has them
	leader     leader
	origin     origin // by which its descendants are known
	birth      birth  // bounds the search for them

	mu          sync.Mutex
	unborn      *spawn.Birth // while it is being started
	forked      bool
	attached    bool
	abandoned   bool
	exited      bool
	reaped      bool // the leader's numbers may belong to a stranger
	stdinClosed bool
	course      *ending.Course // of the end of a leader that is not born yet, nil without
	hadUnborn   bool           // and it has had the stop signal

	// Protected by the mutex of its tree.
	whole  bool           // its group has had the stop signal as a whole
	killed bool           // Killed was told
	left   syscall.Signal // what has outlived the leader on purpose is to be ended by it; 0 otherwise
}

// Start starts c. notify is called with what happens: first with Started or
// StartFailed, and with the rest once Attach has been called.
func (h *Host) Start(c Command, notify func(Event)) *Process {
	p := &Process{ID: c.ID, host: h, notify: notify, log: c.Log, tap: c.Tap, origin: h.origin(c.known())}
	if p.log == nil {
		p.log = output.NewLog(1)
	}
	if p.log.Blocks() {
		p.gate = &gate{}
	}
	p.ready = &OutputReady{event{p}}
	err := h.begin()
	if err != nil {
		notify(&StartFailed{event{p}, err})
		return p
	}
	cmd, err := c.program(h.engine)
	if err == nil {
		err = p.open(&c)
	}
	if err != nil {
		p.startFailed(err)
		return p
	}
	stopIgnoring()
	p.birth = h.sweep.birth()
	p.bear(&c, cmd)
	return p
}

// open makes the files of p.
func (p *Process) open(c *Command) (err error) {
	if c.Terminal != nil {
		tty, err := p.openTerminal(*c.Terminal)
		p.theirs = [3]end{tty, tty, tty}
		return err
	}
	p.theirs[0] = p.host.null
	if c.Stdin {
		if p.theirs[0], p.stdin, err = openStdin(); err != nil {
			return err
		}
	}
	p.streams = make([]*stream, 2)
	for i, name := range []output.Stream{output.Stdout, output.Stderr} {
		if p.streams[i], p.theirs[i+1], err = openPipe(p, name); err != nil {
			p.streams = p.streams[:i]
			return err
		}
	}
	return nil
}

func (p *Process) started(pid int) {
	p.PID, p.StartedAt = pid, time.Now()
	p.markLate()
	p.host.started(p)
	p.mu.Lock()
	p.forked = true
	abandoned := p.abandoned
	p.mu.Unlock()
	p.notify(&Started{event{p}})
	if abandoned {
		p.endAbandoned()
	}
}

func (p *Process) startFailed(err error) {
	p.closeTheirs()
	p.closeFiles()
	p.host.ended(p)
	p.notify(&StartFailed{event{p}, err})
}

// Forked reports whether the leader has been started.
func (p *Process) Forked() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.forked
}

// Attach begins to wait for output and for the exit of the leader, which must have
// started.
func (p *Process) Attach() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.attached {
		return
	}
	p.attached = true
	p.closeTheirs()
	p.reading.Store(int32(len(p.streams)))
	for _, s := range p.streams {
		s.start()
	}
	p.leader.attach(p)
}

// closeTheirs closes the leader's ends of the files, which it has by now.
func (p *Process) closeTheirs() {
	for i, e := range p.theirs {
		if e != (end{}) && e != p.host.null && (i == 0 || e != p.theirs[i-1]) {
			e.close()
		}
	}
	p.theirs = [3]end{}
}

// closeFiles closes what is still open of the engine's ends.
func (p *Process) closeFiles() {
	for _, s := range p.streams {
		s.close()
	}
	p.gate.close()
	if p.stdin != nil {
		p.stdin.Close() // also the terminal; again is harmless
	}
}

// push appends output to the log, and tells if it is awaited.
func (p *Process) push(s output.Slice) {
	var then func()
	if p.tap != nil {
		then = p.tap(s.Stream(), s.Bytes())
	}
	if p.log.Append(s) {
		p.notify(p.ready)
	}
	if then != nil {
		then()
	}
}

// took notes that n bytes of a stream were taken, and are in the log.
func (p *Process) took(stream, n int) {
	p.taken[stream].Add(int64(n))
	p.draining.Load().took()
}

// streamEnded is called by each stream as its last act.
func (p *Process) streamEnded() {
	if p.reading.Add(-1) == 0 {
		p.draining.Load().stop()
		p.notify(&OutputEnded{event{p}})
	}
}

// OutputHasEnded reports whether OutputEnded has been reported or is about to be.
func (p *Process) OutputHasEnded() bool { return p.reading.Load() == 0 }

func (p *Process) leaderExited(status Status) {
	p.mu.Lock()
	p.exited = true
	abandoned := p.abandoned
	p.mu.Unlock()
	p.notify(&LeaderExited{event{p}, status})
	if abandoned {
		p.bury()
	}
}

// Signal sends sig to the process group. It returns os.ErrProcessDone once the
// leader has been reaped.
func (p *Process) Signal(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	return signalGroup(p.PID, sig)
}

// SignalLeader sends sig to the leader alone.
func (p *Process) SignalLeader(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped {
		return os.ErrProcessDone
	}
	return signalProcess(p.PID, sig)
}

// Killable reports whether the leader, if it has not exited, can be signalled. A
// leader that belongs to another user by now cannot (kill(2), EPERM).
func (p *Process) Killable() bool { return !errors.Is(p.SignalLeader(0), os.ErrPermission) }

func (p *Process) isReaped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reaped
}

// Reap reaps the leader, which must have exited, and frees what p holds. No signal
// is sent to its group after that.
func (p *Process) Reap() {
	p.mu.Lock()
	if p.reaped {
		p.mu.Unlock()
		return
	}
	p.reaped = true
	p.draining.Load().stop()
	p.leader.reap()
	p.mu.Unlock()
	p.closeFiles()
	if t := p.host.treeOf(p.origin); t != nil {
		t.reapedFrom(p)
	}
	p.host.ended(p)
}

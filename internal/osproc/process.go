package osproc

import (
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/output"
)

// queueSlices is how many separate slices may be on their way from the readers
// to the log before the readers stop reading: a flood fills the pipe, not the
// memory.
const queueSlices = 16

// Process is a leader and its tree. Its methods may be called from any
// goroutine and do not block.
type Process struct {
	// ID is as in its Command.
	ID string
	// PID is the process ID of the leader, and the ID of its process group.
	PID int
	// StartedAt is when the leader was started.
	StartedAt time.Time

	host     *Host
	had      map[int]syscall.Signal // the sweeper's: what it has sent to whom
	notify   func(Event)
	queue    *output.Queue
	ready    *OutputReady // allocated once, sent often
	streams  []*stream
	reading  atomic.Int32 // streams that have not ended
	draining atomic.Pointer[drain]
	stdin    *os.File // pipe or terminal, nil if none
	terminal *os.File
	leader   leader
	exited   chan struct{} // closed when the leader has exited
	birth    birth         // bounds the search for its descendants

	mu          sync.Mutex
	reaped      bool           // the leader's numbers may belong to a stranger
	groupSignal syscall.Signal // the last that was sent to end the group
	stdinClosed bool
}

// Start starts c and returns at once. What happens is told by notify, Started
// or StartFailed first.
func (h *Host) Start(c Command, notify func(Event)) {
	go func() {
		err := h.begin()
		if err == nil {
			if err = h.start(&c, notify); err != nil {
				h.ended(nil)
			}
		}
		if err != nil {
			notify(&StartFailed{Err: c.explain(err)})
		}
	}()
}

func (h *Host) start(c *Command, notify func(Event)) error {
	cmd, err := c.cmd(h.engine)
	if err != nil {
		return err
	}
	p := &Process{ID: c.ID, host: h, notify: notify, exited: make(chan struct{})}
	p.ready = &OutputReady{event{p}}
	p.queue = output.NewQueue(queueSlices)
	theirs, err := p.open(c, cmd)
	if err != nil {
		p.closeFiles()
		return err
	}
	stopIgnoring()
	p.birth = h.sweep.birth()
	err = h.forker.start(cmd, &p.leader)
	for _, f := range theirs {
		f.Close()
	}
	if err != nil {
		p.closeFiles()
		return err
	}
	p.PID, p.StartedAt = p.leader.pid, time.Now()
	h.started(p)
	notify(&Started{event{p}})
	p.reading.Store(int32(len(p.streams)))
	for _, s := range p.streams {
		go s.run()
	}
	go func() {
		status := p.leader.wait(cmd)
		close(p.exited)
		p.notify(&LeaderExited{event{p}, status})
	}()
	return nil
}

// open makes the files of p and gives cmd the other ends, which it returns: they
// are to be closed once the leader has been started.
func (p *Process) open(c *Command, cmd *exec.Cmd) (theirs []*os.File, err error) {
	defer func() {
		if err != nil {
			for _, f := range theirs {
				f.Close()
			}
		}
	}()
	if c.Terminal != nil {
		tty, err := p.openTerminal(*c.Terminal, cmd)
		if err != nil {
			return nil, err
		}
		return []*os.File{tty}, nil
	}
	groupAttr(cmd)
	cmd.Stdin = p.host.null
	if c.Stdin {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		theirs = append(theirs, r)
		cmd.Stdin, p.stdin = r, w
	}
	for _, to := range []struct {
		stream output.Stream
		set    func(*os.File)
	}{
		{output.Stdout, func(f *os.File) { cmd.Stdout = f }},
		{output.Stderr, func(f *os.File) { cmd.Stderr = f }},
	} {
		r, w, err := os.Pipe()
		if err != nil {
			return theirs, err
		}
		theirs = append(theirs, w)
		to.set(w)
		p.streams = append(p.streams, newStream(p, r, to.stream))
	}
	return theirs, nil
}

// closeFiles closes what is still open of the files of p.
func (p *Process) closeFiles() {
	for _, s := range p.streams {
		s.file.Close() // again is harmless
	}
	if p.stdin != nil {
		p.stdin.Close()
	}
}

// Take returns the output that has arrived, in order, appended to into[:0].
func (p *Process) Take(into []output.Slice) []output.Slice { return p.queue.Take(into) }

// push queues output, and tells if it is the first that waits.
func (p *Process) push(s output.Slice) {
	if p.queue.Push(s) {
		p.notify(p.ready)
	}
}

// streamEnded is called by each stream as its last act.
func (p *Process) streamEnded() {
	if p.reading.Add(-1) == 0 {
		p.notify(&OutputEnded{event{p}})
	}
}

// Signal sends sig to the process group. It is os.ErrProcessDone once the leader
// has been reaped.
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

// Stop sends sig, which is to end it, to all of the tree: at once to the group,
// once, followed by SIGCONT so that stopped members hear it; soon to the
// descendants that left it. A terminal is hung up as well, because an
// interactive shell ignores SIGTERM. Called again with another signal, that is
// sent to what is left.
func (p *Process) Stop(sig syscall.Signal) {
	p.StopGroup(sig)
	p.host.sweep.stop(p, sig)
}

// StopLeader is Stop for the leader alone.
func (p *Process) StopLeader(sig syscall.Signal) {
	if p.SignalLeader(sig) == nil {
		p.SignalLeader(sigCont)
	}
	if p.terminal != nil {
		p.SignalLeader(sigHup)
	}
}

// StopGroup is Stop for the members of the group alone, without a look for the
// descendants that left it.
func (p *Process) StopGroup(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped || p.groupSignal == sig {
		return
	}
	p.groupSignal = sig
	signalGroup(p.PID, sig)
	if p.terminal != nil && sig != syscall.SIGKILL {
		signalGroup(p.PID, sigHup)
	}
	signalGroup(p.PID, sigCont)
}

// EndTree ends what is left of the tree, now that the leader has exited, and
// tells with TreeGone when nothing is. What is found gets sig unless it had it;
// a later Stop sends another. After Reap, only descendants that carry the marks
// are found.
func (p *Process) EndTree(sig syscall.Signal) {
	p.host.sweep.end(p, sig, func() { p.notify(&TreeGone{event{p}}) })
}

func (p *Process) isReaped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reaped
}

// OutputHasEnded reports whether OutputEnded has been told, or is about to be.
func (p *Process) OutputHasEnded() bool { return p.reading.Load() == 0 }

// Reap reaps the leader, which must have exited, and frees what p holds. No
// signal is sent to its group from then on.
func (p *Process) Reap() {
	p.mu.Lock()
	if p.reaped {
		p.mu.Unlock()
		return
	}
	p.reaped = true
	p.leader.reap()
	p.mu.Unlock()
	p.host.ended(p)
	p.queue.Close()
	p.closeFiles()
}

// Abandon ends the whole tree with SIGKILL and reaps, for when nobody looks
// after it any more: events are no longer told. It returns at once; Host.Close
// waits for it.
func (p *Process) Abandon() {
	p.queue.Close()
	p.StopGroup(syscall.SIGKILL)
	go func() {
		<-p.exited
		gone := make(chan struct{})
		p.host.sweep.end(p, syscall.SIGKILL, func() { close(gone) })
		<-gone
		p.Reap()
	}()
}

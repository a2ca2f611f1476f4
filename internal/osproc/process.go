package osproc

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/output"
	"github.com/procession-go/procession/internal/spawn"
)

// Process is a leader and its tree. Its methods may be called from any
// goroutine and do not block.
type Process struct {
	// ID is as in its Command.
	ID string
	// PID is the process ID of the leader, and the ID of its process group. It
	// is 0 before Started.
	PID int
	// StartedAt is when the leader was started.
	StartedAt time.Time

	host     *Host
	notify   func(Event)
	log      *output.Log
	watch    func(output.Stream, []byte) (then func()) // nil if nobody watches
	ready    *OutputReady                              // allocated once, sent often
	streams  []*stream
	reading  atomic.Int32 // streams that have not ended
	draining atomic.Pointer[drain]
	stdin    *os.File // pipe or terminal, nil if none
	terminal *os.File
	theirs   [3]end // the leader's standard input, output and error, until it has them
	leader   leader
	owner    owner           // what its descendants are known by
	birth    birth           // bounds the search for them
	had      map[int]receipt // the sweeper's: what it has sent to whom

	mu          sync.Mutex
	unborn      *spawn.Birth // while it is being started
	forked      bool
	attached    bool
	abandoned   bool
	exited      bool
	reaped      bool // the leader's numbers may belong to a stranger
	stdinClosed bool
	// The last signal that was sent to end the leader, and the group; and the
	// process ID given out last before the group got it: a member with a higher one
	// may have come too late for it.
	leaderSignal, groupSignal syscall.Signal
	groupLast                 int
}

// receipt is what a descendant was sent. One that was forked by a program that
// handles the signal still does, and forgets about it when it executes a program
// of its own.
type receipt struct {
	signal syscall.Signal
	unborn bool // when it was sent
}

// Start starts c. What happens is told by notify: Started or StartFailed first,
// and the rest once Attach has been called.
func (h *Host) Start(c Command, notify func(Event)) *Process {
	p := &Process{ID: c.ID, host: h, notify: notify, log: c.Log, watch: c.Watch, owner: h.owner(c.ID)}
	if p.log == nil {
		p.log = output.NewLog(1)
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

// Attach begins to wait for output and for the exit of the leader, which has
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
	if p.stdin != nil {
		p.stdin.Close() // also the terminal; again is harmless
	}
}

// push appends output to the log, and tells if it is awaited.
func (p *Process) push(s output.Slice) {
	var then func()
	if p.watch != nil {
		then = p.watch(s.Stream(), s.Bytes())
	}
	if p.log.Append(s) {
		p.notify(p.ready)
	}
	if then != nil {
		then()
	}
}

// streamEnded is called by each stream as its last act.
func (p *Process) streamEnded() {
	if p.reading.Add(-1) == 0 {
		p.notify(&OutputEnded{event{p}})
	}
}

// OutputHasEnded reports whether OutputEnded has been told, or is about to be.
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

// Killable reports whether the leader can be signalled, if it has not exited: one
// that belongs to another user now cannot (kill(2), EPERM).
func (p *Process) Killable() bool { return !errors.Is(p.SignalLeader(0), os.ErrPermission) }

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
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.reaped || p.leaderSignal == sig {
		return
	}
	p.leaderSignal = sig
	signalProcess(p.PID, sig)
	if p.terminal != nil && sig != syscall.SIGKILL {
		signalProcess(p.PID, sigHup)
	}
	signalProcess(p.PID, sigCont)
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
	if p.leaderSignal == sig && sig != syscall.SIGKILL && p.host.sweep.findsMembers() {
		p.groupLast = 0 // the leader has had it: the sweep signals the others one by one
		return
	}
	p.leaderSignal = sig
	p.groupLast = p.host.sweep.lastPID() // before: rather should a newborn have it twice than never
	p.signalAll(sig)
	if p.terminal != nil && sig != syscall.SIGKILL {
		p.signalAll(sigHup)
	}
	p.signalAll(sigCont)
}

// signalAll sends sig to the group, and to the leader if it is not in it: one that
// leads a session cannot leave, but the group is known by a number alone.
func (p *Process) signalAll(sig syscall.Signal) {
	signalGroup(p.PID, sig)
	if hasLeft(p.PID) {
		signalProcess(p.PID, sig)
	}
}

// missed reports whether a member of the group may not have been there yet when the
// group got sig.
func (p *Process) missed(sig syscall.Signal, pid int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.groupSignal == sig && pid > p.groupLast
}

// EndTree ends what is left of the tree, now that the leader has exited. It
// answers whether nothing is left already; if not, TreeGone tells when nothing
// is. What is found gets sig unless it had it; a later Stop sends another. After
// Reap, only descendants that carry the marks are found.
func (p *Process) EndTree(sig syscall.Signal) (gone bool) {
	if p.host.sweep.childless(p) {
		return true
	}
	p.host.sweep.end(p, sig, func() { p.notify(&TreeGone{event{p}}) })
	return false
}

func (p *Process) isReaped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.reaped
}

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
	p.closeFiles()
	p.host.ended(p)
}

// Abandon ends the whole tree with SIGKILL and reaps, for when nobody looks
// after it any more, whether it has started already or not. It returns at once;
// Host.Close waits for it.
func (p *Process) Abandon() {
	p.mu.Lock()
	again := p.abandoned
	p.abandoned = true
	p.mu.Unlock()
	if !p.StopUnborn(syscall.SIGKILL) && !again {
		p.endAbandoned()
	}
}

func (p *Process) endAbandoned() {
	p.Attach()
	p.StopGroup(syscall.SIGKILL)
	p.mu.Lock()
	exited := p.exited
	p.mu.Unlock()
	if exited {
		p.bury()
	}
}

// bury ends what an abandoned leader, which has exited, left behind. Exactly one
// of Abandon and leaderExited does it, whichever comes second.
func (p *Process) bury() { p.host.sweep.end(p, syscall.SIGKILL, p.Reap) }

package osproc

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/spawn"
)

// Host is what all processes of one engine share.
type Host struct {
	engine string
	hash   uint64 // what everything of the engine is known by
	marks  bool   // everything has that from its birth on
	null   end    // the null device, every child's standard input
	poller *poller
	forker *spawn.Forker
	sweep  *sweeper

	onlookers atomic.Int32 // trees that are looked on while they hear their signal

	mu       sync.Mutex
	guardian *guardian                 // nil without
	leaders  map[int]*Process          // started and not reaped, by process ID
	trees    map[origin]*tree          // that are being ended, or were left alive
	unborn   map[*Process]*spawn.Birth // being started
	busy     int                       // processes being started, or started and not reaped
	idle     *sync.Cond                // busy has become 0
	closed   bool
}

// NewHost makes the host of the engine with that name. The name must be unique on
// this machine: everything that carries it in VariableEngine is taken for a
// descendant of this engine.
func NewHost(engine string) (*Host, error) {
	if engine == "" {
		return nil, errors.New("an engine must have a name") // everything without the variable would have it
	}
	null, err := openNull()
	if err != nil {
		return nil, err
	}
	poller, err := newPoller()
	if err != nil {
		null.close()
		return nil, err
	}
	cleanSlate()
	h := newHost(engine, poller)
	h.null, h.forker = null, spawn.New(plainly)
	h.marks = h.forker.Refusal() == nil && canMark()
	hosts.add(h)
	return h, nil
}

// newHost returns a host that starts nothing.
func newHost(engine string, poller *poller) *Host {
	h := &Host{engine: engine, hash: hashOf(engine), poller: poller, leaders: map[int]*Process{}, trees: map[origin]*tree{}, unborn: map[*Process]*spawn.Birth{}}
	h.idle = sync.NewCond(&h.mu)
	h.sweep = newSweeper(h)
	return h
}

// Guard starts the engine's guardian: a process that ends everything that carries
// the engine's mark or variables if the engine dies. Init must have been called.
// Guard returns errors.ErrUnsupported on systems other than Linux. If something ends
// the guardian, another one is started. lost is called, on another goroutine, when
// there is none for a while.
func (h *Host) Guard(lost func(error)) error {
	g, err := startGuardian(h, lost)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.guardian = g
	return err
}

// guard returns the guardian, nil without.
func (h *Host) guard() *guardian {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.guardian
}

var errNotInitialized = errors.New("procession.Init was not called first in main")

// Capabilities are what a host can do on this machine.
type Capabilities struct {
	Scripts bool   // programs are started by a script in the child
	Marks   bool   // descendants that left the group are found
	Guarded bool   // there is a guardian
	Reason  string // why something is missing
}

// Capabilities returns what h can do at present.
func (h *Host) Capabilities() Capabilities {
	c := Capabilities{Scripts: h.forker.Refusal() == nil, Guarded: h.guard().alive()}
	var reasons []string
	if err := h.forker.Refusal(); err != nil {
		reasons = append(reasons, "no start by a script: "+err.Error())
	}
	var err error
	if c.Marks, err = h.finds(); err != nil {
		reasons = append(reasons, err.Error())
	}
	if h.guard() != nil && !c.Guarded {
		reasons = append(reasons, "somebody has ended the guardian")
	}
	c.Reason = strings.Join(reasons, "; ")
	return c
}

// Engine returns the name given to NewHost.
func (h *Host) Engine() string { return h.engine }

// Close waits until every process has been reaped, ends everything else that
// carries the engine's mark or variables (with SIGTERM, and after the deadline with
// SIGKILL), and frees what the host holds. No process can be started after it.
// Close returns an error if something cannot be ended.
func (h *Host) Close(deadline time.Time) error {
	h.StopAllLeft(deadline)
	left := h.waitIdle(deadline.Add(unkillable))
	h.sweep.close(deadline)
	hosts.remove(h)
	h.forker.Close()
	h.poller.close()
	if g := h.guard(); g != nil {
		g.close()
	}
	h.null.close()
	if left > 0 {
		return fmt.Errorf("%d processes could not be ended", left)
	}
	return nil
}

// unkillable is how long to wait, after its SIGKILL, for a process that cannot be
// ended because it runs as another user or waits for a device.
const unkillable = 3 * time.Second

// waitIdle waits until every process has been reaped, or until the deadline, and
// closes the host. It returns how many are left.
func (h *Host) waitIdle(deadline time.Time) (left int) {
	over := false
	timer := time.AfterFunc(max(0, time.Until(deadline)), func() {
		time.Sleep(ending.Overtime(deadline, time.Now()))
		h.mu.Lock()
		defer h.mu.Unlock()
		over = true
		h.idle.Broadcast()
	})
	defer timer.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.busy > 0 && !over {
		h.idle.Wait()
	}
	h.closed = true
	return h.busy
}

// begin notes that a process is going to be started, unless the host is closed.
func (h *Host) begin() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return os.ErrClosed
	}
	h.busy++
	return nil
}

// bearing notes that p's leader is going to be forked.
func (h *Host) bearing(p *Process, b *spawn.Birth) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unborn[p] = b
}

// started notes that p's leader runs.
func (h *Host) started(p *Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.unborn, p)
	h.leaders[p.PID] = p
}

// ended notes that p's leader has been reaped, or could not be started.
func (h *Host) ended(p *Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.unborn, p)
	if h.leaders[p.PID] == p {
		delete(h.leaders, p.PID)
		h.sweep.reaped(p)
	}
	if h.busy--; h.busy == 0 {
		h.idle.Broadcast()
	}
}

// isOwn reports whether pid is a leader, or one that is being started, or the guardian.
func (h *Host) isOwn(pid int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.leaders[pid] != nil || h.guardian.is(pid) {
		return true
	}
	for _, b := range h.unborn {
		if b.PID() == pid {
			return true
		}
	}
	return false
}

// isBearing reports whether a leader with the origin o is being forked whose process ID
// is not known yet. If o is nil, any leader counts.
func (h *Host) isBearing(o *origin) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for p, b := range h.unborn {
		if (o == nil || p.origin == *o) && b.PID() == 0 {
			return true
		}
	}
	return false
}

// leader returns the process whose unreaped leader is pid, nil if there is none.
func (h *Host) leader(pid int) *Process {
	h.mu.Lock()
	p := h.leaders[pid]
	h.mu.Unlock()
	if p == nil || p.isReaped() { // then a stranger may have its number
		return nil
	}
	return p
}

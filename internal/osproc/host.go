package osproc

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Host is what the processes of one engine share.
type Host struct {
	engine string
	null   *os.File // the null device, every child's standard input
	poller *poller
	forker *forker
	sweep  *sweeper

	guardian *guardian // nil without

	mu      sync.Mutex
	leaders map[int]*Process // started and not reaped, by process ID
	busy    int              // processes being started, or started and not reaped
	idle    *sync.Cond       // busy has become 0
	closed  bool
}

// NewHost makes the host of the engine of that name, which must be unique on
// this machine: everything that carries it in MarkEngine is taken to be a
// descendant of this engine.
func NewHost(engine string) (*Host, error) {
	if engine == "" {
		return nil, errors.New("an engine must have a name") // everything without a mark would have it
	}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	poller, err := newPoller()
	if err != nil {
		null.Close()
		return nil, err
	}
	cleanSlate()
	h := &Host{engine: engine, null: null, poller: poller, forker: newForker(null), leaders: map[int]*Process{}}
	h.idle = sync.NewCond(&h.mu)
	h.sweep = newSweeper(h)
	return h, nil
}

// Guard starts the engine's guardian: a process that ends everything that
// carries the engine's mark if the engine dies. Init must have been called. It is
// errors.ErrUnsupported on systems other than Linux.
func (h *Host) Guard() (err error) {
	h.guardian, err = startGuardian(h.engine)
	return err
}

var errNotInitialized = errors.New("procession.Init was not called first in main")

// Engine is the name given to NewHost.
func (h *Host) Engine() string { return h.engine }

// Close waits until every process has been reaped, ends everything else that
// carries the engine's mark (with SIGTERM, and after the deadline SIGKILL), and
// frees what the host holds. No process can be started any more. What cannot be
// ended is an error.
func (h *Host) Close(deadline time.Time) error {
	left := h.waitIdle(deadline.Add(unkillable))
	h.sweep.close(deadline)
	h.forker.close()
	h.poller.close()
	if h.guardian != nil {
		h.guardian.close()
	}
	h.null.Close()
	if left > 0 {
		return fmt.Errorf("%d processes could not be ended", left)
	}
	return nil
}

// unkillable is how long after its SIGKILL a process is waited for that cannot be
// ended, because it runs as another user, or waits for a device.
const unkillable = 3 * time.Second

// waitIdle waits until every process has been reaped, or until the deadline, and
// closes the host. It answers how many are left.
func (h *Host) waitIdle(deadline time.Time) (left int) {
	timer := time.AfterFunc(max(0, time.Until(deadline)), func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.idle.Broadcast()
	})
	defer timer.Stop()
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.busy > 0 && time.Now().Before(deadline) {
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

// started notes that p's leader runs.
func (h *Host) started(p *Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.leaders[p.PID] = p
}

// ended notes that p's leader has been reaped, or if p is nil, that a process
// could not be started.
func (h *Host) ended(p *Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p != nil {
		delete(h.leaders, p.PID)
		h.sweep.reaped(p)
	}
	if h.busy--; h.busy == 0 {
		h.idle.Broadcast()
	}
}

// leader is the process whose unreaped leader is pid, nil if there is none.
func (h *Host) leader(pid int) *Process {
	h.mu.Lock()
	p := h.leaders[pid]
	h.mu.Unlock()
	if p == nil || p.isReaped() { // then a stranger may have its number
		return nil
	}
	return p
}

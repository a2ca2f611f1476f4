package osproc

import (
	"errors"
	"os"
	"sync"
	"time"
)

// Host is what the processes of one engine share.
type Host struct {
	engine string
	null   *os.File // the null device, every child's standard input
	forker *forker
	sweep  *sweeper

	guardian *guardian // nil without

	mu      sync.Mutex
	leaders map[int]*Process // started and not reaped, by process ID
	idle    *sync.Cond       // leaders has become empty
}

// NewHost makes the host of the engine of that name, which must be unique on
// this machine: everything that carries it in MarkEngine is taken to be a
// descendant of this engine.
func NewHost(engine string) (*Host, error) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	cleanSlate()
	h := &Host{engine: engine, null: null, forker: newForker(), leaders: map[int]*Process{}}
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
// frees what the host holds. No process may be started any more.
func (h *Host) Close(deadline time.Time) error {
	h.mu.Lock()
	for len(h.leaders) > 0 {
		h.idle.Wait()
	}
	h.mu.Unlock()
	h.sweep.close(deadline)
	h.forker.close()
	if h.guardian != nil {
		h.guardian.close()
	}
	return h.null.Close()
}

func (h *Host) add(p *Process) {
	h.mu.Lock()
	h.leaders[p.PID] = p
	h.mu.Unlock()
}

func (h *Host) remove(p *Process) {
	h.mu.Lock()
	delete(h.leaders, p.PID)
	if len(h.leaders) == 0 {
		h.idle.Broadcast()
	}
	h.mu.Unlock()
}

// isLeader reports whether pid is an unreaped leader.
func (h *Host) isLeader(pid int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.leaders[pid] != nil
}

package osproc

import (
	"syscall"

	"github.com/procession-go/procession/internal/ending"
)

// How a process is ended.

// Stop ends the whole tree: by the stop signal now, and by SIGKILL for what is left at the
// deadline, which Killed reports. If the tree is being ended already, the deadline may come
// sooner, and no process gets the signal again. A leader that is not born yet gets the signal
// alone; call Stop again when it runs.
func (p *Process) Stop(stop ending.Stop) { p.stop(stop, false) }

// StopLeader is Stop for the leader alone.
func (p *Process) StopLeader(stop ending.Stop) { p.stop(stop, true) }

func (p *Process) stop(stop ending.Stop, narrow bool) {
	if p.stopUnborn(stop) {
		return
	}
	if t := p.tree(); t != nil {
		t.stop(stop, narrow)
	}
}

// EndTree ends what is left of the tree after the leader's exit. It reports whether
// nothing is left already. If something is, the event TreeGone tells when it has ended.
func (p *Process) EndTree(stop ending.Stop) (gone bool) {
	t := p.tree()
	if t == nil || t.nothingBut(p) {
		return true
	}
	t.stop(stop, false)
	t.await(func() { p.notify(&TreeGone{event{p}}) })
	return false
}

// Leave lets what is left of the tree live on after the leader has exited. The leader is
// reaped when nothing of its session is left, so that no other process gets its ID until
// then. Host.StopLeft and StopAllLeft end what lives on, with sig.
func (p *Process) Leave(sig syscall.Signal) {
	t := p.tree()
	if t == nil || !p.host.sweep.findsMembers() || t.nothingBut(p) {
		p.Reap()
		return
	}
	t.leave(p, sig)
	t.await(p.Reap)
}

// leave ends the stop of the leader alone, which has exited.
func (t *tree) leave(p *Process, sig syscall.Signal) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p.left = sig
	if t.narrow {
		t.disarm()
		t.ledger, t.narrow = ending.Ledger{}, false
	}
}

// Abandon ends the whole tree with SIGKILL and reaps it, whether it has started
// already or not. It is for a process that nobody looks after any longer. It
// returns at once; Host.Close waits for the end.
func (p *Process) Abandon() {
	p.mu.Lock()
	again := p.abandoned
	p.abandoned = true
	p.mu.Unlock()
	if !p.stopUnborn(ending.Now) && !again {
		p.endAbandoned()
	}
}

func (p *Process) endAbandoned() {
	p.Attach()
	p.Stop(ending.Now)
	if p.hasExited() {
		p.bury()
	}
}

// bury ends what an abandoned leader, which has exited, left behind. Exactly one
// of Abandon and leaderExited does it, whichever comes second.
func (p *Process) bury() {
	if t := p.tree(); t != nil {
		t.stop(ending.Now, false)
		t.await(p.Reap)
	}
}

// being returns the leader, which is told from all others by its number as long as it is not
// reaped.
func (p *Process) being() ending.Being { return ending.Being{PID: p.PID} }

// hasHadIt reports whether the leader has had the stop signal before it was born.
func (p *Process) hasHadIt() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hadUnborn
}

func (p *Process) hasExited() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.exited
}

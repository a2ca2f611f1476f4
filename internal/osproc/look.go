package osproc

import (
	"time"

	"github.com/procession-go/procession/internal/ending"
)

// A timer never overtakes an event. If this program was stopped, or had no CPU time, a
// timer fires at the same moment at which everything that has happened meanwhile can be
// seen. So the timer looks before it acts.

// Look makes sure that everything that has happened by now is reported: what was in the pipes
// is in the log, and the Tap has seen it; and the exit of the leader, if it has exited. Look
// may take a moment, so an actor must not call it.
func (p *Process) Look() {
	p.mu.Lock()
	attached := p.attached
	p.mu.Unlock()
	if !attached {
		return
	}
	var owed [2]int64
	for i, s := range p.streams {
		owed[i] = s.unread() + p.taken[i].Load()
		s.look()
	}
	for begun := time.Now(); p.lags(owed) && time.Since(begun) < maxLook; {
		time.Sleep(time.Millisecond)
	}
	p.leader.look()
}

// lags reports whether a reader has not taken yet what is owed, though it may.
func (p *Process) lags(owed [2]int64) bool {
	for i, s := range p.streams {
		if p.taken[i].Load() < owed[i] && s.unread() > 0 && p.room(i) > 0 {
			return true
		}
	}
	return false
}

// maxLook is how long a look waits for a reader that has much to read.
const maxLook = 100 * time.Millisecond

// LookLate is Look for a timer that ends something, and was due at the time due. If the
// timer is late, LookLate first waits a moment, so that what was stopped together with
// this program can go on.
func (p *Process) LookLate(due time.Time) {
	time.Sleep(ending.Overtime(due, time.Now()))
	p.Look()
}

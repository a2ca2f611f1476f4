package osproc

import (
	"time"

	"github.com/procession-go/procession/internal/ending"
)

// A timer never wins against what has happened. If this program was stopped, or had no CPU
// time, a timer goes off at the same time as everything that has happened until then is
// there to be seen. So before it acts it looks.

// Look sees to it that what has happened by now is told: what was in the pipes is in the log,
// and shown to the Tap, and that the leader has exited, if it has. It may take a moment,
// and is not for actors.
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

// LookLate is Look for a timer that ends something. What was due then and comes late gives
// what may have been stopped together with this program a moment to go on.
func (p *Process) LookLate(due time.Time) {
	time.Sleep(ending.Overtime(due, time.Now()))
	p.Look()
}

package osproc

import (
	"sync/atomic"
	"time"
)

// drain is the end of reading, once the leader has exited: until the pipes are
// closed, or nothing has come on either for a while, or it has taken too long.
type drain struct {
	idle time.Duration
	end  time.Time    // the cap
	last atomic.Int64 // when something last came, in nanoseconds since begin
	from time.Time
}

// Drain ends the reading of output, now that the leader has exited: it goes on
// until all streams are closed, or nothing has come for idle, but no longer
// than limit (though what was in the pipes when the leader exited is read in
// any case). OutputEnded then follows. A descendant that still writes is heard
// out; one that merely holds the pipe open is not waited for.
func (p *Process) Drain(idle, limit time.Duration) {
	now := time.Now()
	d := &drain{idle: idle, end: now.Add(max(idle, limit)), from: now}
	if !p.draining.CompareAndSwap(nil, d) {
		return
	}
	for _, s := range p.streams {
		s.drain()
	}
}

func (d *drain) touch() { d.last.Store(int64(time.Since(d.from))) }

// deadline is when to stop waiting for more, and whether that has passed.
func (d *drain) deadline() (time.Time, bool) {
	t := d.from.Add(time.Duration(d.last.Load())).Add(d.idle)
	if t.After(d.end) {
		t = d.end
	}
	return t, !time.Now().Before(t)
}

// expired reports whether the cap has passed.
func (d *drain) expired() bool { return !time.Now().Before(d.end) }

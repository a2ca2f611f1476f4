package osproc

import (
	"slices"
	"sync/atomic"
	"time"
)

// drain is how the end of the output is awaited, once the leader has exited: until the
// pipes are closed, or nothing has come for a while, or it has taken too long.
type drain struct {
	process *Process
	idle    time.Duration
	from    time.Time
	end     time.Time    // the cap
	last    atomic.Int64 // when something last came, in nanoseconds since from
	streams [2]struct{ read, owed atomic.Int64 }
	timer   *time.Timer
}

// Drain tells by OutputSilent when nothing has come for idle, but no later than after
// limit, though what is in the pipes now is read in any case. A descendant that still
// writes is heard out; one that merely holds the pipe open is not waited for. If all
// streams end before, OutputEnded is told instead. Reading goes on, until Discard. Called
// again, it begins anew.
func (p *Process) Drain(idle, limit time.Duration) {
	if p.OutputHasEnded() {
		return
	}
	now := time.Now()
	d := &drain{process: p, idle: idle, from: now, end: now.Add(max(idle, limit))}
	d.timer = time.AfterFunc(time.Hour, d.check)
	p.draining.Swap(d).stop()
	d.timer.Reset(idle)    // not before: it must find itself there
	if p.log.Room() >= 0 { // if not, this has been done already, and nobody reads
		for i, s := range p.streams {
			d.streams[i].owed.Store(int64(s.pending()) + d.streams[i].read.Load())
		}
	}
	p.ReadOn()
}

// owes is how much of what was in the pipe of a stream is still to be read.
func (d *drain) owes(stream int) int64 {
	if d == nil {
		return 0
	}
	return max(0, d.streams[stream].owed.Load()-d.streams[stream].read.Load())
}

// stop ends the waiting; nil has none.
func (d *drain) stop() {
	if d != nil {
		d.timer.Stop()
	}
}

// took notes that n bytes of a stream were taken, and are in the log.
func (d *drain) took(stream int, n int) {
	if d != nil {
		d.streams[stream].read.Add(int64(n))
		d.last.Store(int64(time.Since(d.from)))
	}
}

// check tells that the output is silent, if it is, and looks again later otherwise. What
// waits in a pipe, were it its end, is not silent: whoever reads it got no CPU time.
func (d *drain) check() {
	p := d.process
	if p.draining.Load() != d || p.OutputHasEnded() {
		return
	}
	waits, owes := false, false
	for i, s := range p.streams {
		if s.isUnread() {
			waits = true
			owes = owes || d.owes(i) > 0
		}
	}
	silent := d.from.Add(time.Duration(d.last.Load())).Add(d.idle)
	now := time.Now()
	switch {
	case !now.Before(d.end) && !owes, !waits && !now.Before(silent):
		p.notify(&OutputSilent{event{p}, d})
	case waits:
		d.timer.Reset(starved)
	default:
		d.timer.Reset(min(silent.Sub(now), max(starved, d.end.Sub(now))))
	}
}

// starved is when to look again at a pipe that has not been read.
const starved = 5 * time.Millisecond

// OutputIsOpen reports whether there may be more output than was read: somebody still has
// it open, or some of it waits.
func (p *Process) OutputIsOpen() bool {
	return slices.ContainsFunc(p.streams, (*stream).isOpen)
}

// Discard gives up what is still to come: OutputEnded is told as soon as what was read is
// in the log. The pipes are read on, so that nobody dies of writing to them.
func (p *Process) Discard() {
	p.discarding.Store(true)
	for _, s := range p.streams {
		s.discard()
	}
	p.ReadOn()
}

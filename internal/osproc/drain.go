package osproc

import (
	"slices"
	"sync/atomic"
	"time"
)

// drain waits for the end of the output after the leader has exited: until the pipes
// are closed, nothing has come for a while, or it has taken too long.
type drain struct {
	process *Process
	idle    time.Duration
	from    time.Time
	end     time.Time    // the cap
	last    atomic.Int64 // when something last came, in nanoseconds since from
	owed    [2]atomic.Int64
	due     time.Time // when the timer is to go off; the timer's alone
	timer   *time.Timer
}

// Drain reports OutputSilent when no output has come for idle, or when limit is over.
// What is in the pipes now is read in any case. So a descendant that still writes is
// read, and one that only holds the pipe open is not waited for. If all streams end
// before that, OutputEnded is reported instead. Reading goes on until Discard. Another
// call of Drain begins anew.
func (p *Process) Drain(idle, limit time.Duration) {
	if p.OutputHasEnded() {
		return
	}
	now := time.Now()
	d := &drain{process: p, idle: idle, from: now, end: now.Add(max(idle, limit)), due: now.Add(idle)}
	d.timer = time.AfterFunc(time.Hour, d.check)
	p.draining.Swap(d).stop()
	d.timer.Reset(idle)    // not before: it must find itself there
	if p.log.Room() >= 0 { // if not, this has been done already, and nobody reads
		for i, s := range p.streams {
			d.owed[i].Store(s.unread() + p.taken[i].Load())
		}
	}
	p.ReadOn()
}

// owes returns how much of what was in the pipe of a stream is still to be read.
func (d *drain) owes(stream int) int64 {
	if d == nil {
		return 0
	}
	return max(0, d.owed[stream].Load()-d.process.taken[stream].Load())
}

// stop ends the waiting; nil has none.
func (d *drain) stop() {
	if d != nil {
		d.timer.Stop()
	}
}

// took notes that something was taken.
func (d *drain) took() {
	if d != nil {
		d.last.Store(int64(time.Since(d.from)))
	}
}

// check tells that the output is silent, if it is, and looks again later otherwise. What
// waits in a pipe, were it its end, is not silent: whoever reads it got no CPU time.
func (d *drain) check() {
	p := d.process
	p.LookLate(d.due)
	if p.draining.Load() != d || p.OutputHasEnded() {
		return
	}
	waits, owes := false, false
	for i, s := range p.streams {
		if s.unread() > 0 {
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
		p.ReadOn() // what waits may be the end
		d.wait(now, starved)
	default:
		d.wait(now, min(silent.Sub(now), max(starved, d.end.Sub(now))))
	}
}

// wait has check called again later.
func (d *drain) wait(now time.Time, after time.Duration) {
	d.due = now.Add(after)
	d.timer.Reset(after)
}

// starved is when to look again at a pipe that has not been read.
const starved = 5 * time.Millisecond

// OutputIsOpen reports whether there may be more output than was read: some process still
// has it open, or some of it waits in a pipe.
func (p *Process) OutputIsOpen() bool {
	return slices.ContainsFunc(p.streams, (*stream).isOpen)
}

// Discard gives up the output that is still to come. OutputEnded is reported as soon as
// what was read is in the log. The pipes are still read, so that no process dies of
// writing to them.
func (p *Process) Discard() {
	p.discarding.Store(true)
	for _, s := range p.streams {
		s.discard()
	}
	p.ReadOn()
}

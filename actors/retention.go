package actors

import (
	"slices"
	"time"
)

// retained are the processes that have ended, oldest first. A process that was
// released stays in the queue until the queue is compacted.
type retained struct {
	queue   []retainedEntry
	count   int // how many were not released
	leaving int // how many of those are being released
	timer   *time.Timer
}

type retainedEntry struct {
	entry *entry
	at    time.Time
}

func (r *retained) add(e *entry) {
	r.queue = append(r.queue, retainedEntry{e, time.Now()})
	r.count++
	if e.releasing {
		r.leaving++
	}
}

// leave records that one of them is being released.
func (r *retained) leave() { r.leaving++ }

// remove records that e, which is one of them, was released.
func (r *retained) remove(e *entry) {
	r.count--
	if e.releasing {
		r.leaving--
	}
}

// due returns the oldest process that is still known, if it must be released:
// because there are more than most (unless that is negative), or because it is
// older than maxAge (unless that is zero). Otherwise next is when it will have to
// be, if ever.
func (r *retained) due(known func(*entry) bool, most int, maxAge time.Duration, now time.Time) (e *entry, next time.Time) {
	if len(r.queue) > 2*r.count+16 {
		r.queue = slices.DeleteFunc(r.queue, func(q retainedEntry) bool { return !known(q.entry) })
	}
	for len(r.queue) > 0 {
		oldest := r.queue[0]
		switch {
		case !known(oldest.entry):
			r.queue = r.queue[1:]
		case most >= 0 && r.count-r.leaving > most, maxAge > 0 && now.Sub(oldest.at) >= maxAge:
			r.queue = r.queue[1:]
			return oldest.entry, time.Time{}
		case maxAge > 0:
			return nil, oldest.at.Add(maxAge)
		default:
			return nil, time.Time{}
		}
	}
	return nil, time.Time{}
}

// retain releases the ended processes that are too many or too old.
func (p *pool) retain() {
	known := func(e *entry) bool { return p.entries[e.id] == e && !e.releasing }
	for {
		e, next := p.ended.due(known, p.config.MaxExited, p.config.MaxExitedAge, time.Now())
		if e == nil {
			p.armExpiry(next)
			return
		}
		p.releaseFor(e, nil)
	}
}

func (p *pool) armExpiry(next time.Time) {
	stopTimer(p.ended.timer)
	if !next.IsZero() {
		p.ended.timer = time.AfterFunc(time.Until(next), func() { p.mailbox.post(&expire{}) })
	}
}

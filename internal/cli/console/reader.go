package console

import "time"

const (
	// LastWords is how long the output of killed processes may take to be written.
	LastWords = 500 * time.Millisecond

	// lookEvery is how often it is looked whether somebody reads.
	lookEvery = 20 * time.Millisecond
)

// GiveUpUnread gives up output that nobody reads. It does so when the processes are gone
// and the reader has taken nothing for as long as patience, which state tells. The time
// before the command line was asked to end does not count. It never returns: what is said
// at the very end may be unread, too.
func (c *Console) GiveUpUnread(asked time.Time, state func() (gone bool, patience time.Duration)) {
	outlets := []*Outlet{c.Stdout, c.Stderr}
	readers := make([]reader, len(outlets))
	for i, o := range outlets {
		readers[i].saw(o.flow(), asked)
		readers[i].since = asked
	}
	for range time.Tick(lookEvery) {
		gone, patience := state()
		for i, o := range outlets {
			now, seen := time.Now(), o.flow()
			if idle := readers[i].saw(seen, now); gone && seen.waiting && idle >= patience {
				o.giveUp()
			}
		}
	}
}

// GiveUp gives up both streams: nobody waits for their readers any more.
func (c *Console) GiveUp() {
	c.Stdout.giveUp()
	c.Stderr.giveUp()
}

// Losses is how many bytes of both streams have been lost.
func (c *Console) Losses() int64 { return c.Stdout.losses() + c.Stderr.losses() }

// flow is what can be seen of an outlet from outside.
type flow struct {
	written int64
	unread  int64 // of these, and of what others write there; 0 if it cannot be known
	waiting bool  // there is more to be written
}

func (o *Outlet) flow() flow {
	o.mu.Lock()
	f := flow{written: o.written, waiting: len(o.rest) > 0}
	o.mu.Unlock()
	f.unread = unread(o.File) // after written, so that nothing seems to be taken that was not
	return f
}

// reader is what is known of the reader of an outlet, from one look to the next.
type reader struct {
	taken int64
	since time.Time // when it last took something, or there was nothing to be taken
}

// saw notes what was seen at a time, and answers for how long the reader has taken
// nothing though there was something to be taken.
func (r *reader) saw(f flow, at time.Time) time.Duration {
	taken := f.written - f.unread
	if taken > r.taken || !f.waiting && f.unread == 0 {
		r.since = at
	}
	r.taken = taken
	return at.Sub(r.since)
}

package main

import (
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/procession-go/procession"
)

// fullAt is how many bytes wait in a backlog when it takes no more. It is large because one
// of its readers, a log or the other stream, gets nothing either once another has filled it.
const fullAt = 16 << 20

// backlog is the output of one process on its way to readers that may be slow. When it is
// full it asks the engine for nothing more, whose log fills then, too, until the process
// waits in its writes (procession.Block).
type backlog struct {
	mu      sync.Mutex
	changed sync.Cond
	lanes   []*lane
	size    int64 // of all lanes
	ended   bool
	end     int64 // the offset after the last byte that came
	err     error // what ended it early
}

// lane is what one reader is to get, while the others' readers may wait.
type lane struct {
	streams []procession.Stream // which; nil for both, in the order in which they came
	write   func(procession.Segment) error
	pass    func(s procession.Segment, done func(n int)) // instead of write: at once, in the order in which it came

	segments  []procession.Segment
	size      int64 // of segments, and of what was taken and not yet delivered
	abandoned bool  // nobody reads it any more
}

func newBacklog(lanes ...*lane) *backlog {
	b := &backlog{lanes: lanes}
	b.changed.L = &b.mu
	return b
}

// lanesTo are those to the screen: one for both streams, or if these do not go to
// the same place one for each.
func lanesTo(write func(procession.Segment) error, together bool) []*lane {
	if together {
		return []*lane{{write: write}}
	}
	return []*lane{
		{streams: []procession.Stream{procession.Stdout}, write: write},
		{streams: []procession.Stream{procession.Stderr}, write: write},
	}
}

// wants reports whether output is for the lane.
func (l *lane) wants(s procession.Segment) bool {
	return !l.abandoned && (l.streams == nil || slices.Contains(l.streams, s.Stream))
}

// fill takes what chunks yields until it ends.
func (b *backlog) fill(chunks iter.Seq2[procession.Chunk, error]) {
	for chunk, err := range chunks {
		b.put(chunk, err)
	}
	b.close()
}

// close notes that nothing more will come.
func (b *backlog) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.changed.Broadcast()
}

// put adds output, and waits while the backlog is full.
func (b *backlog) put(chunk procession.Chunk, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err = err; err != nil {
		return
	}
	b.end = chunk.Next
	for _, l := range b.lanes {
		for _, s := range chunk.Segments {
			if !l.wants(s) {
				continue
			}
			l.size += int64(len(s.Data))
			b.size += int64(len(s.Data))
			if l.pass == nil {
				l.segments = append(l.segments, s)
			} else {
				l.pass(s, func(n int) { b.delivered(l, int64(n)) })
			}
		}
	}
	b.changed.Broadcast()
	for b.full() {
		b.changed.Wait()
	}
}

// full reports whether nothing more is to come yet.
func (b *backlog) full() bool { return b.size >= fullAt }

// await waits until everything before offset has come, or has to wait for room.
func (b *backlog) await(offset int64) {
	b.waitUntil(func() bool { return b.end >= offset || b.ended || b.full() })
}

func (b *backlog) waitUntil(holds func() bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !holds() {
		b.changed.Wait()
	}
}

// sum is how many bytes came, and what ended it early.
func (b *backlog) sum() (came int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.end, b.err
}

// deliver passes everything on until the end. A lane whose write has failed gets
// nothing more.
func (b *backlog) deliver() error {
	errs := make([]error, len(b.lanes))
	var all sync.WaitGroup
	for i, l := range b.lanes {
		all.Go(func() { errs[i] = b.deliverLane(l) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (b *backlog) deliverLane(l *lane) error {
	if l.pass != nil {
		b.waitUntil(func() bool { return b.ended && l.size == 0 })
		return nil
	}
	for {
		segments := b.take(l)
		if segments == nil {
			return nil
		}
		for _, s := range segments {
			if err := l.write(s); err != nil {
				b.abandon(l)
				return err
			}
			b.delivered(l, int64(len(s.Data)))
		}
	}
}

// take answers what has come together in a lane, nil at the end.
func (b *backlog) take(l *lane) []procession.Segment {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(l.segments) == 0 && !b.ended {
		b.changed.Wait()
	}
	segments := l.segments
	l.segments = nil
	return segments
}

func (b *backlog) delivered(l *lane, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.less(l, n)
}

// abandon throws away what there is in a lane, and what will come.
func (b *backlog) abandon(l *lane) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.abandoned, l.segments = true, nil
	b.less(l, l.size)
}

func (b *backlog) less(l *lane, n int64) {
	l.size -= n
	b.size -= n
	b.changed.Broadcast()
}

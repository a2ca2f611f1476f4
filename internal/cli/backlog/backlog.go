// Package backlog holds the output of a process on its way to readers that may be slow,
// and has the process wait when it holds too much.
package backlog

import (
	"errors"
	"iter"
	"slices"
	"sync"

	"github.com/procession-go/procession"
)

// Limit is how many bytes a full backlog holds. It is large because a full one takes
// nothing for any of its sinks: a slow reader of one stream then holds up the log and the
// other stream, too.
const Limit = 16 << 20

// Backlog is the output of one process on its way to readers that may be slow. A full
// backlog asks the engine for nothing more. Then the engine's log fills, and the process
// waits in its writes (procession.Block).
type Backlog struct {
	mu      sync.Mutex
	changed sync.Cond
	sinks   []*Sink
	size    int64 // of all sinks
	ended   bool
	end     int64 // the offset after the last byte that came
	err     error // what ended it early
}

// Sink is where output goes to, for one reader. Sinks do not wait for each other.
type Sink struct {
	// Write writes output. It may wait. When it has failed it is not called again.
	Write func(procession.Segment) error
	// Pass, if it is not nil, is called instead of Write, when the output comes. It may
	// not wait, and calls done with the number of bytes that have been written.
	Pass func(s procession.Segment, done func(n int))

	streams   []procession.Stream // those that it wants; nil for both, in the order in which they came
	segments  []procession.Segment
	size      int64 // of segments, and of what was taken and not yet delivered
	abandoned bool  // nobody reads it any more
}

// New makes a backlog that passes output on to sinks.
func New(sinks ...*Sink) *Backlog {
	b := &Backlog{sinks: sinks}
	b.changed.L = &b.mu
	return b
}

// SinksTo makes the sinks for the screen: one for both streams together, or one for each,
// which do not wait for each other then.
func SinksTo(write func(procession.Segment) error, together bool) []*Sink {
	if together {
		return []*Sink{{Write: write}}
	}
	return []*Sink{
		{streams: []procession.Stream{procession.Stdout}, Write: write},
		{streams: []procession.Stream{procession.Stderr}, Write: write},
	}
}

// wants reports whether output is for the sink.
func (l *Sink) wants(s procession.Segment) bool {
	return !l.abandoned && (l.streams == nil || slices.Contains(l.streams, s.Stream))
}

// Fill takes what chunks yields until it ends.
func (b *Backlog) Fill(chunks iter.Seq2[procession.Chunk, error]) {
	for chunk, err := range chunks {
		b.put(chunk, err)
	}
	b.Close()
}

// Close notes that nothing more will come.
func (b *Backlog) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	b.changed.Broadcast()
}

// put adds output, and waits while the backlog is full.
func (b *Backlog) put(chunk procession.Chunk, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err = err; err != nil {
		return
	}
	b.end = chunk.Next
	for _, l := range b.sinks {
		for _, s := range chunk.Segments {
			if !l.wants(s) {
				continue
			}
			l.size += int64(len(s.Data))
			b.size += int64(len(s.Data))
			if l.Pass == nil {
				l.segments = append(l.segments, s)
			} else {
				l.Pass(s, func(n int) { b.delivered(l, int64(n)) })
			}
		}
	}
	b.changed.Broadcast()
	for b.full() {
		b.changed.Wait()
	}
}

// full reports whether nothing more is to come yet.
func (b *Backlog) full() bool { return b.size >= Limit }

// Await waits until everything before offset has come, or has to wait for room.
func (b *Backlog) Await(offset int64) {
	b.waitUntil(func() bool { return b.end >= offset || b.ended || b.full() })
}

func (b *Backlog) waitUntil(holds func() bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for !holds() {
		b.changed.Wait()
	}
}

// Sum is how many bytes came, and what ended it early.
func (b *Backlog) Sum() (came int64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.end, b.err
}

// Deliver passes everything on until the end. A sink whose write has failed gets
// nothing more.
func (b *Backlog) Deliver() error {
	errs := make([]error, len(b.sinks))
	var all sync.WaitGroup
	for i, l := range b.sinks {
		all.Go(func() { errs[i] = b.deliverTo(l) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (b *Backlog) deliverTo(l *Sink) error {
	if l.Pass != nil {
		b.waitUntil(func() bool { return b.ended && l.size == 0 })
		return nil
	}
	for {
		segments := b.take(l)
		if segments == nil {
			return nil
		}
		for _, s := range segments {
			if err := l.Write(s); err != nil {
				b.abandon(l)
				return err
			}
			b.delivered(l, int64(len(s.Data)))
		}
	}
}

// take answers what has come together in a sink, nil at the end.
func (b *Backlog) take(l *Sink) []procession.Segment {
	b.mu.Lock()
	defer b.mu.Unlock()
	for len(l.segments) == 0 && !b.ended {
		b.changed.Wait()
	}
	segments := l.segments
	l.segments = nil
	return segments
}

func (b *Backlog) delivered(l *Sink, n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.less(l, n)
}

// abandon throws away what there is in a sink, and what will come.
func (b *Backlog) abandon(l *Sink) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.abandoned, l.segments = true, nil
	b.less(l, l.size)
}

func (b *Backlog) less(l *Sink, n int64) {
	l.size -= n
	b.size -= n
	b.changed.Broadcast()
}

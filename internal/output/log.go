package output

import (
	"iter"
	"slices"
	"sort"
	"sync"
	"unicode/utf8"
)

// Log holds the newest output of one process, both streams in order of arrival. The
// readers of the process append to it. Any goroutine may call its methods.
type Log struct {
	limit  int64 // bytes; negative = unlimited
	blocks bool  // see room.go

	mu           sync.Mutex
	asked        int64   // a reader has asked for what comes from here on
	waits        bool    // somebody waits for room
	awaited      bool    // a caller of Await must be told of the next slice
	end          int64   // absolute offset after the last byte
	entries      []entry // entries[head:] is retained, in order; those before are zero
	head         int
	boundaries   []int64 // offsets at which an incarnation begins, in order
	lastBoundary int64   // the newest boundary that was dropped
	dropped      [2]tail // by stream

	// What it costs, in bytes; see economize.
	seen   [2]bool  // the streams that there are
	pinned int64    // blocks of which something is retained
	loose  [2]int64 // blocks of which nothing is, and which a reader may be in
	wasted int64    // what was more than is retained when it was last looked at
}

// tail is the last that was dropped of a stream.
type tail struct {
	end     int64 // absolute offset after it
	newline bool
}

// entry is a slice in its place in the output.
type entry struct {
	slice
	offset int64 // absolute, of the first byte
}

// NewLog returns an empty log that retains the newest limit bytes, or everything if
// limit is negative. It retains less only where it would need more memory than
// limit and 64 KiB for each stream. It panics if limit is 0.
func NewLog(limit int64) *Log {
	if limit == 0 {
		panic("output: the limit of a log must be positive, or negative for none")
	}
	return &Log{limit: limit}
}

// Limit returns how many bytes the log retains at most. It is negative if there is
// no limit.
func (l *Log) Limit() int64 { return l.limit }

// First returns the absolute offset of the first byte that is retained, which is the
// number of bytes that were dropped.
func (l *Log) First() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first()
}

func (l *Log) first() int64 {
	if l.head == len(l.entries) {
		return l.end
	}
	return l.entries[l.head].offset
}

// End returns the absolute offset after the last byte, which is the number of bytes
// that were ever appended.
func (l *Log) End() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

// Bounds returns First and End at one moment.
func (l *Log) Bounds() (first, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first(), l.end
}

// Await asks to be told, by Append, when there is output after the absolute offset
// end. If there is some already, Await returns true and asks for nothing.
func (l *Log) Await(end int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.awaited = l.end <= end
	return !l.awaited
}

// Begin records a boundary after the last byte: an incarnation begins there. It
// returns the absolute offset. The boundaries of dropped output are forgotten.
func (l *Log) Begin() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forgetBoundaries()
	if n := len(l.boundaries); n == 0 || l.boundaries[n-1] != l.end {
		l.boundaries = append(l.boundaries, l.end)
	}
	return l.end
}

// Boundaries returns the boundaries from the absolute offset from up to, but not
// including, to.
func (l *Log) Boundaries(from, to int64) []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearch(l.boundaries, from)
	j, _ := slices.BinarySearch(l.boundaries, to)
	if i >= j {
		return nil
	}
	return slices.Clone(l.boundaries[i:j])
}

// Append adds a slice at the end, and drops at the beginning what exceeds the
// limit. That takes constant time (amortised), and no byte is copied unless that
// saves memory. Append returns whether the caller of Await must be told.
func (l *Log) Append(s Slice) (awaited bool) {
	n := s.len()
	if n == 0 {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if last := len(l.entries) - 1; last < l.head || !l.entries[last].extend(s.slice) {
		l.entries = append(l.entries, entry{s.slice, l.end})
	}
	l.keep(s.block, n)
	l.seen[s.block.stream], l.loose[s.block.stream] = true, 0
	if len(s.block.data)-int(s.to) < utf8.UTFMax { // what is held back goes to the next
		l.loose[s.block.stream] = int64(s.block.next())
	}
	l.end += int64(n)
	l.trim()
	l.economize()
	awaited, l.awaited = l.awaited, false
	return awaited
}

// evict drops what lies before the absolute offset to: whole entries, then the
// beginning of the first that is left. A character that would be split there
// goes as a whole; nothing else does.
func (l *Log) evict(to int64) {
	for l.head < len(l.entries) && l.entries[l.head].offset < to {
		e := &l.entries[l.head]
		n := 0
		for stream, piece := range e.pieces() {
			over := to - e.offset - int64(n)
			if over <= 0 {
				break
			}
			drop := len(piece)
			if over < int64(drop) {
				begin, end := around(piece, int(over))
				if drop = end; l.blocks { // somebody may be in the middle of it
					drop = begin
				}
			}
			if drop == 0 {
				break
			}
			n += drop
			l.dropped[stream] = tail{e.offset + int64(n), piece[drop-1] == '\n'}
			if drop < len(piece) {
				break
			}
		}
		if n == 0 {
			break
		}
		l.letGo(e.block, n)
		if n < e.len() {
			e.from += int32(n)
			e.offset += int64(n)
			break
		}
		*e = entry{} // keeps no evicted block alive
		l.head++
	}
	l.compact()
}

// torn reports, by stream, whether what was dropped ended inside a line. A line does not
// go on across a boundary.
func (l *Log) torn() (torn [2]bool) {
	begins := l.lastBoundary
	if i, _ := slices.BinarySearch(l.boundaries, l.first()+1); i > 0 {
		begins = l.boundaries[i-1]
	}
	for s, last := range l.dropped {
		torn[s] = last.end > begins && !last.newline
	}
	return torn
}

// compact moves the retained entries to the front when at least half of all are
// evicted ones, so that each entry is moved once on average. Memory that is far
// too large, after a time of many short entries, is given back.
func (l *Log) compact() {
	const small = 64
	n := len(l.entries) - l.head
	if l.head == 0 || l.head < n {
		return
	}
	if c := cap(l.entries); c > small && n < c/8 {
		l.entries = append(make([]entry, 0, max(2*n, small)), l.entries[l.head:]...)
	} else {
		copy(l.entries, l.entries[l.head:])
		clear(l.entries[n:])
		l.entries = l.entries[:n]
	}
	l.head = 0
}

// Segments iterates over the output that is retained from the absolute offset from
// on: its first max bytes, or all of it if max is not positive. An offset before
// First means First. At End or beyond there is nothing. An offset inside a
// character starts there.
//
// At max it ends before a character that does not fit, unless that is the first
// one: then it ends inside it, so that reading on from where it ended always
// makes progress.
//
// The log is locked during the iteration, and the readers of the process wait. The
// segments stay valid for ever.
func (l *Log) Segments(from int64, max int) iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		var torn [2]bool
		if from < l.first() {
			torn = l.torn()
		}
		l.walk(from, max, func(b *block, s Segment) bool {
			b.shown = true
			s.Torn, torn = torn, [2]bool{}
			return yield(s)
		})
	}
}

// Count returns how many segments Segments yields, at this moment.
func (l *Log) Count(from int64, most int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.walk(from, most, func(*block, Segment) bool { n++; return true })
	return n
}

// walk calls yield with what Segments yields, and the block that it is in.
func (l *Log) walk(from int64, max int, yield func(*block, Segment) bool) {
	left := max
	for i := l.find(from); i < len(l.entries); i++ {
		e := &l.entries[i]
		offset := e.offset
		for stream, piece := range e.pieces() {
			for len(piece) > 0 {
				data, at := piece[:l.toBoundary(offset, len(piece))], offset
				piece, offset = piece[len(data):], offset+int64(len(data))
				if from >= offset {
					continue
				}
				if from > at {
					data, at = data[from-at:], from
				}
				full := max > 0 && len(data) >= left
				if full {
					data = capped(data, left, left == max)
				}
				if len(data) == 0 || !yield(e.block, Segment{Stream: stream, Offset: at, Data: data[:len(data):len(data)]}) || full {
					return
				}
				left -= len(data)
			}
		}
	}
}

// toBoundary returns how many of n bytes from an offset on come before the next
// boundary.
func (l *Log) toBoundary(offset int64, n int) int64 {
	if i, _ := slices.BinarySearch(l.boundaries, offset+1); i < len(l.boundaries) {
		return min(int64(n), l.boundaries[i]-offset)
	}
	return int64(n)
}

// capped returns the first max bytes of p, which has at least as many, without a
// character at the end that would be split, unless it may be as it is the first.
func capped(p []byte, max int, split bool) []byte {
	cut := max
	if cut < len(p) {
		if start, _ := around(p, cut); start > 0 || !split {
			cut = start
		}
	}
	return p[:cut]
}

// find returns the index of the first entry that ends after the absolute offset from.
func (l *Log) find(from int64) int {
	retained := l.entries[l.head:]
	return l.head + sort.Search(len(retained), func(i int) bool {
		return retained[i].offset+int64(retained[i].len()) > from
	})
}

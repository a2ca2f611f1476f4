package output

import (
	"iter"
	"slices"
	"sort"
	"sync"
)

// Log is the output of one process: both streams in order of arrival, the
// newest bytes of them. The readers of the process append to it; its methods may
// be called by any goroutine.
type Log struct {
	limit  int64 // bytes; negative = unlimited
	blocks bool  // see room.go

	mu      sync.Mutex
	asked   int64   // a reader has asked for what comes from here on
	held    bool    // somebody waits for room
	awaited bool    // somebody is to be told of the next slice
	end     int64   // absolute offset after the last byte
	entries []entry // entries[head:] is retained, in order; those before are zero
	head    int
	marks   []int64 // offsets at which something begins, in order
	mark    int64   // the last that was before those
	dropped [2]tail // by stream
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

// NewLog returns an empty log that retains the newest limit bytes, or all if
// limit is negative. It panics if limit is 0.
func NewLog(limit int64) *Log {
	if limit == 0 {
		panic("output: the limit of a log must be positive, or negative for none")
	}
	return &Log{limit: limit}
}

// Limit is how many bytes the log retains at most; negative if there is no
// limit.
func (l *Log) Limit() int64 { return l.limit }

// First is the absolute offset of the first byte that is retained, which is the
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

// End is the absolute offset after the last byte, which is the number of bytes
// that were ever appended.
func (l *Log) End() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

// Bounds are First and End at one moment.
func (l *Log) Bounds() (first, end int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.first(), l.end
}

// Await asks to be told, by Append, of the next slice after the absolute offset
// end. If that has come already the answer is true, and nothing is asked.
func (l *Log) Await(end int64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.awaited = l.end <= end
	return !l.awaited
}

// Mark notes that something new begins after the last byte, and answers its
// absolute offset. What is dropped takes its marks along.
func (l *Log) Mark() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	gone, _ := slices.BinarySearch(l.marks, l.first())
	if gone > 0 {
		l.mark = l.marks[gone-1]
		l.marks = slices.Delete(l.marks, 0, gone)
	}
	if n := len(l.marks); n == 0 || l.marks[n-1] != l.end {
		l.marks = append(l.marks, l.end)
	}
	return l.end
}

// Marks are the marks from the absolute offset from up to but not at to.
func (l *Log) Marks(from, to int64) []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	i, _ := slices.BinarySearch(l.marks, from)
	j, _ := slices.BinarySearch(l.marks, to)
	if i >= j {
		return nil
	}
	return slices.Clone(l.marks[i:j])
}

// Append adds a slice at the end and drops at the beginning what exceeds the
// limit, in constant time (amortised) and without copying a byte. It answers
// whether somebody is to be told, who has called Await.
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
	l.end += int64(n)
	l.trim()
	awaited, l.awaited = l.awaited, false
	return awaited
}

// evict drops what lies before the absolute offset to: whole entries, then the
// beginning of the first that is left. A character that would be split there
// goes as a whole; nothing else does.
func (l *Log) evict(to int64) {
	for l.head < len(l.entries) && l.entries[l.head].offset < to {
		e := &l.entries[l.head]
		n := e.len()
		if over := to - e.offset; over < int64(n) {
			begin, end := around(e.bytes(), int(over))
			if n = end; l.blocks { // somebody may be in the middle of it
				n = begin
			}
		}
		if n == 0 {
			break
		}
		l.dropped[e.block.stream] = tail{e.offset + int64(n), e.bytes()[n-1] == '\n'}
		e.block.release(n)
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

// torn tells, by stream, whether what was dropped ended inside a line of it. A line does
// not go on across a mark.
func (l *Log) torn() (torn [2]bool) {
	begins := l.mark
	if i, _ := slices.BinarySearch(l.marks, l.first()+1); i > 0 {
		begins = l.marks[i-1]
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

// Segments iterates over what is retained from the absolute offset from on: the
// first max bytes of it, or all if max is not positive. An offset before First
// means First; at End or beyond there is nothing. An offset inside a character
// starts there.
//
// At max it ends before a character that does not fit, unless that is the first
// one: then it ends inside it, so that reading on from where it ended always
// makes progress.
//
// During the iteration the log is locked: the readers of the process wait. The
// segments stay valid for ever.
func (l *Log) Segments(from int64, max int) iter.Seq[Segment] {
	return func(yield func(Segment) bool) {
		l.mu.Lock()
		defer l.mu.Unlock()
		left := max
		var torn [2]bool
		if from < l.first() {
			torn = l.torn()
		}
		for i := l.find(from); i < len(l.entries); i++ {
			e := &l.entries[i]
			data, offset := e.bytes(), e.offset
			if from > offset {
				data, offset = data[from-offset:], from
			}
			full := max > 0 && len(data) >= left
			if full {
				data = capped(data, left, left == max)
			}
			if len(data) == 0 {
				return
			}
			e.block.shown = true
			if !yield(Segment{e.block.stream, offset, data, torn}) || full {
				return
			}
			torn = [2]bool{}
			left -= len(data)
		}
	}
}

// capped is the first max bytes of p, which has at least as many, without a
// character at the end that would be split, unless it may be as it is the first.
func capped(p []byte, max int, split bool) []byte {
	cut := max
	if cut < len(p) {
		if start, _ := around(p, cut); start > 0 || !split {
			cut = start
		}
	}
	return p[:cut:cut]
}

// Count is an upper bound on how many segments Segments yields, at this moment.
func (l *Log) Count(from int64, most int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	first, end := l.find(from), len(l.entries)
	if most > 0 && first < end {
		from = max(from, l.entries[first].offset)
		last := from + min(int64(most), l.end-from) - 1 // most may be any number
		end = min(end, l.find(last)+1)
	}
	return end - first
}

// find is the index of the first entry that ends after the absolute offset from.
func (l *Log) find(from int64) int {
	retained := l.entries[l.head:]
	return l.head + sort.Search(len(retained), func(i int) bool {
		return retained[i].offset+int64(retained[i].len()) > from
	})
}

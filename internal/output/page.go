package output

import (
	"iter"
	"math"
	"slices"
	"unsafe"
)

// What a log retains is at most slack bytes for each stream more than its limit, whatever
// the shape of the output. What it is in is counted: blocks as a whole, and what tells of
// them. Blocks of which little is retained, and short entries, are more than the output is
// worth; once that is too much they are copied into pages, each byte once at the most.
const (
	slack  = 64 << 10
	margin = 16 << 10 // by which it must grow to be looked at again

	pageSize   = 4 << 10
	shortEntry = 1 << 10
	longestRun = 127
	spare      = 512 // entries that there is room for when all is in pages
)

// A page is a block that belongs to the log alone, for bytes of both streams: runs tells
// whose they are, the stream in the highest bit and how many in the others.
func newPage() *block {
	return &block{data: make([]byte, pageSize), runs: make([]byte, 0, pageSize/longestRun+1)}
}

// pieces returns the bytes of each stream in a slice, in order.
func (s *slice) pieces() iter.Seq2[Stream, []byte] {
	return func(yield func(Stream, []byte) bool) {
		if s.block.runs == nil {
			yield(s.block.stream, s.bytes())
			return
		}
		at, begun := int32(0), s.from
		for i, run := range s.block.runs {
			stream, to := Stream(run>>7), min(at+int32(run&longestRun), s.to)
			at = to
			last := to == s.to || i+1 == len(s.block.runs)
			if to <= s.from || !last && Stream(s.block.runs[i+1]>>7) == stream {
				continue
			}
			if !yield(stream, s.block.data[begun:to:to]) || last {
				return
			}
			begun = to
		}
	}
}

// write adds what there is room for of p, which is whole characters, and returns how much
// that is.
func (b *block) write(at int32, stream Stream, p []byte) int {
	if room := len(b.data) - int(at); room < len(p) {
		room, _ = around(p, room)
		p = p[:room]
	}
	n := copy(b.data[at:], p)
	for left := n; left > 0; {
		last := len(b.runs) - 1
		if last < 0 || Stream(b.runs[last]>>7) != stream || b.runs[last]&longestRun == longestRun {
			b.runs = append(b.runs, byte(stream)<<7)
			last++
		}
		more := min(left, longestRun-int(b.runs[last]&longestRun))
		b.runs[last] += byte(more)
		left -= more
	}
	return n
}

// size returns how much memory the block is.
func (b *block) size() int64 { return int64(len(b.data) + cap(b.runs)) }

// keep notes that n bytes of a block are retained.
func (l *Log) keep(b *block, n int) {
	if b.kept == 0 {
		l.pinned += b.size()
	}
	b.kept += n
}

// letGo notes that n bytes of a block are not any more.
func (l *Log) letGo(b *block, n int) {
	if b.kept -= n; b.kept == 0 {
		l.pinned -= b.size()
	}
	b.release(n)
}

// held returns how much memory the log is.
func (l *Log) held() int64 {
	return l.pinned + l.loose[Stdout] + l.loose[Stderr] +
		int64(cap(l.entries))*int64(unsafe.Sizeof(entry{})) + int64(cap(l.boundaries))*8
}

// most returns how much that may be if n bytes are retained.
func (l *Log) most(n int64) int64 {
	for _, b := range l.seen {
		if b {
			n = min(n, math.MaxInt64-slack) + slack - minBlock // which its reader takes before there is anything to keep
		}
	}
	return n
}

// economize packs what is worth it if the log is more memory than it may be, and as the
// last resort evicts.
func (l *Log) economize() {
	retained := l.end - l.first()
	waste, bound := l.held()-retained, l.most(l.limit)
	over := func() bool { return l.limit > 0 && l.held() > bound }
	if waste <= max(l.wasted, l.most(0)) && !over() {
		return
	}
	l.forgetBoundaries()
	l.pack(func(e *entry) bool { return e.len() < shortEntry || e.block.kept < len(e.block.data)*3/4 })
	if over() {
		l.pack(func(*entry) bool { return true })
	}
	for over() && l.first() < l.droppable() { // runs and boundaries are more than it may be
		before := l.first()
		l.evict(min(l.first()+max(l.held()-bound, 0)+margin, l.droppable()))
		l.forgetBoundaries()
		if l.first() == before {
			break
		}
	}
	l.wasted = l.held() - (l.end - l.first()) + margin
}

// pack copies the entries that are to be into pages.
func (l *Log) pack(isToBe func(*entry) bool) {
	old := l.entries[l.head:]
	packed := make([]entry, 0, int(l.end-l.first())/pageSize+spare)
	for i := range old {
		e := &old[i]
		if e.block.runs != nil {
			packed = append(packed, *e)
			continue
		}
		if !isToBe(e) {
			packed = append(packed, *e)
			l.loose[e.block.stream] = 0
			continue
		}
		offset := e.offset
		for p := e.bytes(); len(p) > 0; {
			n := 0
			if last := len(packed) - 1; last >= 0 && packed[last].block.runs != nil {
				n = l.writeTo(&packed[last], e.block.stream, p)
			}
			if n == 0 {
				packed = append(packed, entry{slice{block: newPage()}, offset})
			}
			offset, p = offset+int64(n), p[n:]
		}
		l.loose[e.block.stream] = int64(e.block.next()) // or the reader is in this one
		l.letGo(e.block, e.len())
	}
	l.entries, l.head = packed, 0
}

// writeTo adds to a page what there is room for.
func (l *Log) writeTo(page *entry, stream Stream, p []byte) int {
	b := page.block
	before := b.size()
	n := b.write(page.to, stream, p)
	if b.kept > 0 {
		l.pinned += b.size() - before
	}
	if n > 0 {
		l.keep(b, n)
		page.to += int32(n)
	}
	return n
}

// forgetBoundaries forgets the boundaries of dropped output, except the last.
func (l *Log) forgetBoundaries() {
	gone, _ := slices.BinarySearch(l.boundaries, l.first())
	if gone > 0 {
		l.lastBoundary = l.boundaries[gone-1]
		l.boundaries = slices.Delete(l.boundaries, 0, gone)
	}
	if cap(l.boundaries) > 2*len(l.boundaries)+64 {
		l.boundaries = slices.Clip(slices.Clone(l.boundaries))
	}
}

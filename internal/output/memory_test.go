package output

import (
	"bytes"
	"slices"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// writer is a process that writes to a log, again and again.
type writer struct {
	log     *Log
	buffers [2]*Buffer
	text    [2][]byte // all that was written, of each stream
	order   []Stream  // of all bytes
}

func newWriter(limit int64) *writer {
	w := &writer{log: NewLog(limit)}
	w.begin()
	return w
}

// begin begins an incarnation.
func (w *writer) begin() {
	for s, b := range w.buffers {
		if b != nil {
			if slice, ok := b.Flush(); ok {
				w.append(slice)
			}
		}
		w.buffers[s] = NewBuffer(Stream(s))
	}
	w.log.Begin()
}

func (w *writer) append(s Slice) {
	w.text[s.Stream()] = append(w.text[s.Stream()], s.Bytes()...)
	for range s.Len() {
		w.order = append(w.order, s.Stream())
	}
	w.log.Append(s)
}

// write has p read at once.
func (w *writer) write(s Stream, p []byte) {
	for len(p) > 0 {
		n := copy(w.buffers[s].Free(), p)
		p = p[n:]
		if slice, ok := w.buffers[s].Filled(n); ok {
			w.append(slice)
		}
	}
	w.buffers[s].Idle()
}

// held is how much memory log and buffers are, in bytes.
func (w *writer) held() int64 {
	n := int64(cap(w.log.entries))*int64(unsafe.Sizeof(entry{})) + int64(cap(w.log.boundaries))*8
	seen := map[*block]bool{nil: true}
	count := func(b *block) {
		if !seen[b] {
			seen[b] = true
			n += int64(len(b.data) + cap(b.runs))
		}
	}
	for i := range w.log.entries {
		count(w.log.entries[i].block)
	}
	for _, b := range w.buffers {
		count(b.block)
	}
	return n
}

// retained is what the log should have from an offset on, of each stream.
func (w *writer) retained(from int64) (text [2][]byte) {
	gone := [2]int{}
	for _, s := range w.order[:from] {
		gone[s]++
	}
	for s := range text {
		text[s] = w.text[s][gone[s]:]
	}
	return text
}

func (w *writer) check(t require.TestingT) {
	limit, retained, held := w.log.Limit(), w.log.End()-w.log.First(), w.held()
	if limit > 0 {
		require.LessOrEqual(t, retained, limit)
		require.LessOrEqual(t, held, limit+2*slack, "bytes of memory for %d retained, the limit is %d", retained, limit)
	}
	require.LessOrEqual(t, held, 5*retained+2*slack+2*margin, "bytes of memory for %d retained", retained)
}

// checkBytes checks that what is retained is what was written.
func (w *writer) checkBytes(t require.TestingT) {
	var got [2][]byte
	at := w.log.First()
	for s := range w.log.Segments(0, 0) {
		isSegment(t, s, at)
		other := slices.IndexFunc(w.order[at:at+int64(len(s.Data))], func(of Stream) bool { return of != s.Stream })
		require.Equal(t, -1, other, "a byte of the segment at %d is of the wrong stream", at)
		if n := wholes(s.Data); n != len(s.Data) {
			require.Fail(t, "a segment ends inside a character", "%q", s.Data[n:])
		}
		at += int64(len(s.Data))
		got[s.Stream] = append(got[s.Stream], s.Data...)
	}
	require.Equal(t, w.log.End(), at, "the end of the segments")
	for s, want := range w.retained(w.log.First()) {
		require.True(t, bytes.Equal(got[s], want), "stream %d: %d bytes are wrong", s, len(got[s]))
	}
}

// isSegment asserts that a segment is at an offset, is not empty, and has no room behind it
// into which who is handed it could write. There are very many.
func isSegment(t require.TestingT, s Segment, at int64) {
	if s.Offset != at || len(s.Data) == 0 || cap(s.Data) != len(s.Data) {
		require.Equal(t, at, s.Offset)
		require.NotEmpty(t, s.Data)
		require.Equal(t, len(s.Data), cap(s.Data))
	}
}

// However output is shaped, the log is little more memory than its limit, and what it
// retains is the end of what was written.
func TestMemoryIsBoundedForEveryShape(t *testing.T) {
	const text = "€uro 😀 lines\nof text, é and ü\n"
	size := rapid.OneOf(rapid.IntRange(1, 4), rapid.IntRange(1, 100), rapid.IntRange(100, 5000), rapid.IntRange(5000, 100_000))
	rapid.Check(t, func(t *rapid.T) {
		w := newWriter(rapid.OneOf(
			rapid.Just(int64(-1)), rapid.Int64Range(1, 100), rapid.Int64Range(100, 100_000), rapid.Int64Range(100_000, 1_000_000),
		).Draw(t, "limit"))
		var shown snapshot
		for range rapid.IntRange(1, 10).Draw(t, "shapes") {
			sizes := [2][]byte{}
			for s := range sizes {
				n := size.Draw(t, "size")
				sizes[s] = bytes.Repeat([]byte(text), n/len(text)+1)[:n]
				sizes[s] = sizes[s][:wholes(sizes[s])]
			}
			again := rapid.IntRange(0, 3).Draw(t, "incarnations")
			one := rapid.Bool().Draw(t, "one stream alone")
			total := rapid.IntRange(1, 300_000).Draw(t, "total")
			for i := 0; total > 0 && i < 5000; i++ {
				s := Stream(i % 2)
				if one {
					s = Stdout
				}
				w.write(s, sizes[s])
				total -= len(sizes[s])
				if again == 1 && i%3 == 0 {
					w.begin()
				}
				if i%32 == 0 {
					w.check(t)
				}
			}
			w.check(t)
			shown.take(w.log, w.log.First(), 0)
			w.checkBytes(t)
		}
		shown.check(t)
	})
}

// The shapes that cost most, at the default limit and beyond.
func TestMemoryOfTheWorstShapes(t *testing.T) {
	for name, shape := range map[string]struct {
		limit, total int
		write        func(w *writer, i int)
		kept         float64 // the part of the limit that is retained at least
	}{
		"restarts":       {1 << 20, 40_000, func(w *writer, i int) { w.begin(); w.write(Stdout, []byte("up!\n")) }, 1},
		"many restarts":  {1 << 20, 2 << 20, func(w *writer, i int) { w.begin(); w.write(Stdout, []byte("up!\n")) }, 0.2},
		"single bytes":   {1 << 20, 3 << 19, func(w *writer, i int) { w.write(Stream(i%2), []byte("x")) }, 0.5},
		"lines":          {1 << 20, 3 << 20, func(w *writer, i int) { w.write(Stream(i%2), []byte("a line of 40 bytes, like many lines are\n")) }, 1},
		"long and short": {1 << 20, 3 << 20, func(w *writer, i int) { w.write(Stream(i%2), bytes.Repeat([]byte("y"), 1+i%2*9000)) }, 1},
		"a flood":        {1 << 20, 8 << 20, func(w *writer, i int) { w.write(Stdout, make([]byte, 64<<10)) }, 1},
		"two floods":     {1_000_001, 8 << 20, func(w *writer, i int) { w.write(Stream(i%2), make([]byte, 64<<10)) }, 1},
		"odd reads":      {1_000_001, 8 << 20, func(w *writer, i int) { w.write(Stream(i%2), make([]byte, 17_003)) }, 1},
		"much":           {4 << 20, 9 << 20, func(w *writer, i int) { w.write(Stream(i%2), make([]byte, 4096)) }, 0.97},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWriter(int64(shape.limit))
			for i := 0; w.log.End() < int64(shape.total); i++ {
				shape.write(w, i)
				if i%499 == 0 {
					w.check(t)
				}
			}
			w.check(t)
			w.checkBytes(t)
			assert.GreaterOrEqual(t, w.log.End()-w.log.First(), int64(float64(min(shape.limit, shape.total))*shape.kept))
			t.Logf("%d bytes of memory for %d retained", w.held(), w.log.End()-w.log.First())
		})
	}
}

package output

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFaultCombinedIsInOrderOfArrival(t *testing.T) {
	l, out, err := NewLog(-1), newStream(Stdout), newStream(Stderr)
	out.read([]byte("one "), appendTo(l))
	err.read([]byte("two "), appendTo(l))
	out.read([]byte("three "), appendTo(l))
	out.read([]byte("four "), appendTo(l))
	err.read([]byte("five"), appendTo(l))
	var got []string
	for s := range l.Segments(0, 0) {
		got = append(got, fmt.Sprintf("%d@%d:%s", s.Stream, s.Offset, s.Data))
	}
	assert.Equal(t, []string{"0@0:one ", "1@4:two ", "0@8:three four ", "1@19:five"}, got)
	assert.Equal(t, 4, l.Count(0, 0))
}

func TestEviction(t *testing.T) {
	for _, c := range []struct {
		name  string
		limit int64
		texts []string
		want  string
	}{
		{"below the limit", 4, []string{"abc"}, "abc"},
		{"at the limit", 3, []string{"a", "bc"}, "abc"},
		{"one over", 3, []string{"ab", "cd"}, "bcd"},
		{"longer than the limit at once", 2, []string{"abcdef"}, "ef"},
		{"between characters", 4, []string{"é€a"}, "€a"},
		{"in two bytes", 3, []string{"ébc", "d"}, "bcd"},
		{"in three bytes, after one", 4, []string{"a€bc"}, "bc"},
		{"in three bytes, after two", 3, []string{"a€bc"}, "bc"},
		{"in four bytes", 5, []string{"😀bc"}, "bc"},
		{"of a character that does not fit", 1, []string{"a", "é"}, ""},
		{"after which there is more", 1, []string{"é", "b"}, "b"},
		{"in bytes that are no text", 5, []string{strings.Repeat("\x80", 9)}, "\x80\x80\x80\x80\x80"},
		{"after a start byte that is invalid", 2, []string{"\xed\xa0\x80"}, "\xa0\x80"},
		{"in U+FFFD", 2, []string{"\ufffd", "a"}, "a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := logOf(c.limit, c.texts...)
			assert.Equal(t, c.want, combined(l, 0, 0))
			all := int64(len(strings.Join(c.texts, "")))
			assert.Equal(t, all, l.End())
			assert.Equal(t, all-int64(len(c.want)), l.First())
			assert.Equal(t, c.limit, l.Limit())
		})
	}
}

// Whole blocks go and parts of blocks, and the first offset is exact.
func TestEvictionAtEveryLimit(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 300) // in several blocks
	for limit := 1; limit < len(text); limit += 61 {
		l := logOf(int64(limit), text)
		require.Equal(t, text[len(text)-limit:], combined(l, 0, 0), "limit %d: the wrong bytes are left", limit)
	}
}

func TestFaultTruncationNeverExceedsTheLimit(t *testing.T) {
	for limit := int64(1); limit < 20; limit++ {
		l, out := NewLog(limit), newStream(Stdout)
		for range 50 {
			out.read([]byte("€uro "), appendTo(l))
			require.LessOrEqual(t, int64(len(combined(l, 0, 0))), limit)
			require.LessOrEqual(t, l.End()-l.First(), limit)
		}
	}
}

func TestFaultTruncationStripsNothing(t *testing.T) {
	for _, blank := range []string{" ", "\n", "\t", "\r\n", "\x00", "\u00a0"} {
		text := strings.Repeat(blank, 6) + "end" + blank
		want := text[2*len(blank):]
		assert.Equal(t, want, combined(logOf(int64(len(want)), text), 0, 0))
	}
}

func TestFaultTruncationCutsStderrToo(t *testing.T) {
	l, out, err := NewLog(10), newStream(Stdout), newStream(Stderr)
	out.read([]byte("out"), appendTo(l))
	err.read([]byte(strings.Repeat("e", 100)), appendTo(l))
	assert.Equal(t, strings.Repeat("e", 10), combined(l, 0, 0))
}

func TestFaultAppendIsConstant(t *testing.T) {
	for _, size := range []int{20, 4096, maxBlock} {
		for _, limit := range []int64{100_000, 1 << 20, 8 << 20} {
			l, out, p := NewLog(limit), newStream(Stdout), make([]byte, size)
			handOver := appendTo(l)
			for l.First() == 0 {
				out.read(p, handOver)
			}
			assert.Zero(t, testing.AllocsPerRun(200, func() { out.read(p, handOver) }), "allocations for %d bytes over a limit of %d", size, limit)
		}
	}
}

func TestSegmentsFromACursor(t *testing.T) {
	l, out, err := NewLog(20), newStream(Stdout), newStream(Stderr)
	out.read([]byte("dropped-"), appendTo(l))
	out.read([]byte("abcdef"), appendTo(l))
	err.read([]byte("ghij"), appendTo(l))
	out.read([]byte("klmnopqrst"), appendTo(l))
	require.EqualValues(t, 8, l.First())
	all := "abcdefghijklmnopqrst"
	for from := int64(-1); from < 40; from++ {
		want := all[min(max(from-8, 0), int64(len(all))):]
		offset, n := max(from, 8), 0
		var got strings.Builder
		for s := range l.Segments(from, 0) {
			assert.Equal(t, offset, s.Offset, "from %d", from)
			assert.Equal(t, len(s.Data), cap(s.Data), "from %d: a segment has spare capacity", from)
			offset += int64(len(s.Data))
			n++
			got.Write(s.Data)
		}
		assert.Equal(t, want, got.String(), "from %d", from)
		assert.Equal(t, n, l.Count(from, 0), "segments from %d", from)
	}
}

func TestSegmentsEndAtMax(t *testing.T) {
	for _, c := range []struct {
		name  string
		texts []string
		from  int64
		max   int
		want  string
	}{
		{"no cap", []string{"abc"}, 0, 0, "abc"},
		{"no cap, negative", []string{"abc"}, 0, -1, "abc"},
		{"more than there is", []string{"abc"}, 0, 9, "abc"},
		{"between", []string{"abc"}, 0, 2, "ab"},
		{"from inside", []string{"abc"}, 1, 1, "b"},
		{"moved back", []string{"a€"}, 0, 3, "a"},
		{"first does not fit", []string{"€a"}, 0, 2, "\xe2\x82"},
		{"rest of a split one", []string{"€a"}, 2, 1, "\xac"},
		{"rest of a split one, from inside", []string{"😀a"}, 1, 2, "\x9f\x98"},
		{"in no text", []string{"\x80\x80\x80"}, 0, 2, "\x80\x80"},
		{"character does not fit after another segment", []string{strings.Repeat("x", minBlock), "😀"}, minBlock - 1, 3, "x"},
		{"first of the next segment", []string{strings.Repeat("x", minBlock), "😀"}, minBlock, 3, "\xf0\x9f\x98"},
		{"at the end of a segment", []string{strings.Repeat("x", minBlock), "y"}, minBlock - 2, 2, "xx"},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.want, combined(logOf(-1, c.texts...), c.from, c.max))
		})
	}
}

// What follows a character that did not fit must not take its place.
func TestSegmentsHaveNoGapAtMax(t *testing.T) {
	l, out, err := NewLog(-1), newStream(Stdout), newStream(Stderr)
	out.read([]byte("a€"), appendTo(l))
	err.read([]byte("b"), appendTo(l))
	assert.Equal(t, "a", combined(l, 0, 3))
}

func TestReadingOnAlwaysMakesProgress(t *testing.T) {
	l := logOf(-1, mixed)
	for max := 1; max < 8; max++ {
		var got strings.Builder
		for next := int64(0); next < l.End(); {
			part := combined(l, next, max)
			require.NotEmpty(t, part, "max %d, at %d", max, next)
			require.LessOrEqual(t, len(part), max, "%q at %d", part, next)
			got.WriteString(part)
			next += int64(len(part))
		}
		assert.Equal(t, mixed, got.String(), "max %d", max)
	}
}

func TestSegmentsMayBeLeftEarly(t *testing.T) {
	l, out, err := NewLog(-1), newStream(Stdout), newStream(Stderr)
	out.read([]byte("a"), appendTo(l))
	err.read([]byte("b"), appendTo(l))
	for s := range l.Segments(0, 0) {
		assert.Equal(t, "a", string(s.Data))
		break
	}
	assert.False(t, l.entries[1].block.shown, "a segment that was not yielded counts as shown")
}

// A merge extends the entry of the log, not a segment that was handed out.
func TestMergeLeavesSegmentsAlone(t *testing.T) {
	l, out := NewLog(-1), newStream(Stdout)
	var s snapshot
	out.read([]byte("abc"), appendTo(l))
	s.take(l, 0, 0)
	out.read([]byte("def"), appendTo(l))
	s.check(t)
	segments := s.take(l, 0, 0)
	require.Len(t, segments, 1)
	assert.Equal(t, "abcdef", string(segments[0].Data))
}

// What was discarded on the way must not appear as a part of its neighbours.
func TestNoMergeOverAGap(t *testing.T) {
	var slices []Slice
	out := newStream(Stdout)
	for _, text := range []string{"a", "lost", "b"} {
		out.read([]byte(text), func(s Slice) { slices = append(slices, s) })
	}
	l := NewLog(-1)
	l.Append(slices[0])
	l.Append(slices[2])
	assert.Equal(t, "ab", combined(l, 0, 0))
}

func TestEvictedEntriesHoldNoBlocks(t *testing.T) {
	l, out, err := NewLog(1000), newStream(Stdout), newStream(Stderr)
	check := func() {
		all := l.entries[:cap(l.entries)]
		for i, e := range all {
			if live := i >= l.head && i < len(l.entries); live != (e.block != nil) { // there are very many
				require.Equal(t, live, e.block != nil, "has entry %d of %d a block, with the head at %d", i, len(l.entries), l.head)
			}
		}
	}
	for range 3000 {
		out.read([]byte("o"), appendTo(l))
		err.read([]byte("e"), appendTo(l))
		check()
	}
	many := cap(l.entries)
	for range 3000 {
		out.read(make([]byte, 900), appendTo(l))
		check()
	}
	assert.LessOrEqual(t, cap(l.entries), many/4, "room for entries is kept")
}

func TestNoLimitKeepsAll(t *testing.T) {
	text := strings.Repeat(mixed, 5000)
	got := combined(logOf(-1, text), 0, 0)
	assert.Equal(t, len(text), len(got))
	assert.True(t, got == text, "other bytes are left than were written")
}

func TestWhatMakesNoSensePanics(t *testing.T) {
	assert.Panics(t, func() { NewLog(0) }, "a limit of 0 is accepted")
}

func TestNothingIsAppended(t *testing.T) {
	l := NewLog(1)
	l.Append(Slice{})
	assert.Zero(t, l.End())
	assert.Zero(t, l.Count(0, 0))
	assert.Empty(t, combined(l, 0, 0))
}

package output

import (
	"fmt"
	"strings"
	"testing"
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
	want := "0@0:one |1@4:two |0@8:three four |1@19:five"
	if strings.Join(got, "|") != want {
		t.Errorf("%q, want %q", got, want)
	}
	if n := l.Count(0, 0); n != 4 {
		t.Errorf("Count is %d", n)
	}
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
			if got := combined(l, 0, 0); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
			all := int64(len(strings.Join(c.texts, "")))
			if l.End() != all || l.First() != all-int64(len(c.want)) || l.Limit() != c.limit {
				t.Errorf("[%d, %d) of %d, limit %d", l.First(), l.End(), all, l.Limit())
			}
		})
	}
}

// Whole blocks go and parts of blocks, and the first offset is exact.
func TestEvictionAtEveryLimit(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 300) // in several blocks
	for limit := 1; limit < len(text); limit += 61 {
		l := logOf(int64(limit), text)
		if got := combined(l, 0, 0); got != text[len(text)-limit:] {
			t.Fatalf("limit %d: the wrong bytes are left", limit)
		}
	}
}

func TestFaultTruncationNeverExceedsTheLimit(t *testing.T) {
	for limit := int64(1); limit < 20; limit++ {
		l, out := NewLog(limit), newStream(Stdout)
		for range 50 {
			out.read([]byte("€uro "), appendTo(l))
			if got := combined(l, 0, 0); int64(len(got)) > limit || l.End()-l.First() > limit {
				t.Fatalf("limit %d: %q is retained", limit, got)
			}
		}
	}
}

func TestFaultTruncationStripsNothing(t *testing.T) {
	for _, blank := range []string{" ", "\n", "\t", "\r\n", "\x00", "\u00a0"} {
		text := strings.Repeat(blank, 6) + "end" + blank
		want := text[2*len(blank):]
		if got := combined(logOf(int64(len(want)), text), 0, 0); got != want {
			t.Errorf("%q is left, want %q", got, want)
		}
	}
}

func TestFaultTruncationCutsStderrToo(t *testing.T) {
	l, out, err := NewLog(10), newStream(Stdout), newStream(Stderr)
	out.read([]byte("out"), appendTo(l))
	err.read([]byte(strings.Repeat("e", 100)), appendTo(l))
	if got := combined(l, 0, 0); got != strings.Repeat("e", 10) {
		t.Errorf("%q is left", got)
	}
}

func TestFaultAppendIsConstant(t *testing.T) {
	for _, size := range []int{20, 4096, maxBlock} {
		for _, limit := range []int64{100_000, 1 << 20, 8 << 20} {
			l, out, p := NewLog(limit), newStream(Stdout), make([]byte, size)
			handOver := appendTo(l)
			for l.First() == 0 {
				out.read(p, handOver)
			}
			if n := testing.AllocsPerRun(200, func() { out.read(p, handOver) }); n > 0 {
				t.Errorf("%d bytes over a limit of %d: %v allocations", size, limit, n)
			}
		}
	}
}

func TestSegmentsFromACursor(t *testing.T) {
	l, out, err := NewLog(20), newStream(Stdout), newStream(Stderr)
	out.read([]byte("dropped-"), appendTo(l))
	out.read([]byte("abcdef"), appendTo(l))
	err.read([]byte("ghij"), appendTo(l))
	out.read([]byte("klmnopqrst"), appendTo(l))
	if l.First() != 8 {
		t.Fatalf("First is %d", l.First())
	}
	all := "abcdefghijklmnopqrst"
	for from := int64(-1); from < 40; from++ {
		want := all[min(max(from-8, 0), int64(len(all))):]
		offset, n := max(from, 8), 0
		var got strings.Builder
		for s := range l.Segments(from, 0) {
			if s.Offset != offset {
				t.Errorf("from %d: a segment at %d, want %d", from, s.Offset, offset)
			}
			if cap(s.Data) != len(s.Data) {
				t.Errorf("from %d: a segment has spare capacity", from)
			}
			offset += int64(len(s.Data))
			n++
			got.Write(s.Data)
		}
		if got.String() != want || l.Count(from, 0) != n {
			t.Errorf("from %d: %q in %d, want %q in %d", from, got.String(), n, want, l.Count(from, 0))
		}
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
			if got := combined(logOf(-1, c.texts...), c.from, c.max); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// What follows a character that did not fit must not take its place.
func TestSegmentsHaveNoGapAtMax(t *testing.T) {
	l, out, err := NewLog(-1), newStream(Stdout), newStream(Stderr)
	out.read([]byte("a€"), appendTo(l))
	err.read([]byte("b"), appendTo(l))
	if got := combined(l, 0, 3); got != "a" {
		t.Errorf("%q, want the a alone", got)
	}
}

func TestReadingOnAlwaysMakesProgress(t *testing.T) {
	l := logOf(-1, mixed)
	for max := 1; max < 8; max++ {
		var got strings.Builder
		for next := int64(0); next < l.End(); {
			part := combined(l, next, max)
			if part == "" || len(part) > max {
				t.Fatalf("max %d: read %q at %d", max, part, next)
			}
			got.WriteString(part)
			next += int64(len(part))
		}
		if got.String() != mixed {
			t.Errorf("max %d: %q", max, got.String())
		}
	}
}

func TestSegmentsMayBeLeftEarly(t *testing.T) {
	l, out, err := NewLog(-1), newStream(Stdout), newStream(Stderr)
	out.read([]byte("a"), appendTo(l))
	err.read([]byte("b"), appendTo(l))
	for s := range l.Segments(0, 0) {
		if string(s.Data) != "a" {
			t.Errorf("%q", s.Data)
		}
		break
	}
	if l.entries[1].block.shown {
		t.Error("a segment that was not yielded counts as shown")
	}
}

// A merge extends the entry of the log, not a segment that was handed out.
func TestMergeLeavesSegmentsAlone(t *testing.T) {
	l, out := NewLog(-1), newStream(Stdout)
	var s snapshot
	out.read([]byte("abc"), appendTo(l))
	s.take(l, 0, 0)
	out.read([]byte("def"), appendTo(l))
	s.check(t)
	if segs := s.take(l, 0, 0); len(segs) != 1 || string(segs[0].Data) != "abcdef" {
		t.Errorf("%d segments, want one", len(segs))
	}
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
	if got := combined(l, 0, 0); got != "ab" {
		t.Errorf("%q", got)
	}
}

func TestEvictedEntriesHoldNoBlocks(t *testing.T) {
	l, out, err := NewLog(1000), newStream(Stdout), newStream(Stderr)
	check := func() {
		all := l.entries[:cap(l.entries)]
		for i, e := range all {
			if live := i >= l.head && i < len(l.entries); (e.block != nil) != live {
				t.Fatalf("entry %d of %d, head %d: block %v", i, len(l.entries), l.head, e.block != nil)
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
	if few := cap(l.entries); few > many/4 {
		t.Errorf("room for %d entries is kept, of %d", few, many)
	}
}

func TestNoLimitKeepsAll(t *testing.T) {
	text := strings.Repeat(mixed, 5000)
	if got := combined(logOf(-1, text), 0, 0); got != text {
		t.Errorf("%d of %d bytes are left", len(got), len(text))
	}
}

func TestWhatMakesNoSensePanics(t *testing.T) {
	for name, f := range map[string]func(){
		"limit 0": func() { NewLog(0) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is accepted", name)
				}
			}()
			f()
		}()
	}
}

func TestNothingIsAppended(t *testing.T) {
	l := NewLog(1)
	l.Append(Slice{})
	if l.End() != 0 || l.Count(0, 0) != 0 || combined(l, 0, 0) != "" {
		t.Error("an empty slice left something")
	}
}

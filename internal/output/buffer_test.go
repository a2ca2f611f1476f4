package output

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFaultCharacterSplitBetweenReads(t *testing.T) {
	for i := range len(mixed) + 1 {
		for j := i; j <= len(mixed); j++ {
			l, out := NewLog(-1), newStream(Stdout)
			for _, part := range []string{mixed[:i], mixed[i:j], mixed[j:]} {
				out.read([]byte(part), func(s Slice) {
					if p := s.bytes(); wholes(p) != len(p) {
						t.Fatalf("split at %d and %d: a slice ends inside a character: %q", i, j, p)
					}
					l.Append(s)
				})
			}
			out.flush(appendTo(l))
			if got := combined(l, 0, 0); got != mixed {
				t.Fatalf("split at %d and %d: %q, want %q", i, j, got, mixed)
			}
		}
	}
}

// A character that begins at the end of a block comes whole in the next.
func TestHeldBackMovesToTheNextBlock(t *testing.T) {
	for _, char := range []string{"é", "€", "😀"} {
		for n := 1; n < len(char); n++ {
			l, out := NewLog(-1), newStream(Stderr)
			text := strings.Repeat("x", minBlock-n) + char + "y"
			out.read([]byte(text), appendTo(l))
			var got []string
			for s := range l.Segments(0, 0) {
				got = append(got, string(s.Data))
			}
			if len(got) != 2 || got[0] != text[:minBlock-n] || got[1] != char+"y" {
				t.Errorf("%s, %d bytes in the first block: %q", char, n, got)
			}
		}
	}
}

func TestFlushHandsOverTheRest(t *testing.T) {
	for _, rest := range []string{"", "\xc3", "\xe2\x82", "\xf0\x9f\x98"} {
		b := NewBuffer(Stdout)
		n := copy(b.Free(), rest)
		if s, ok := b.Filled(n); ok {
			t.Errorf("%q was not held back: %q", rest, s.bytes())
		}
		s, ok := b.Flush()
		if ok != (rest != "") || s.Len() != len(rest) || ok && string(s.bytes()) != rest {
			t.Errorf("flushed %d bytes, want %q", s.Len(), rest)
		}
		if _, again := b.Flush(); again || b.block != nil {
			t.Errorf("%q: there is something left after Flush", rest)
		}
	}
}

func TestHeldBackIsNotMoreThanACharacter(t *testing.T) {
	b := NewBuffer(Stdout)
	for range 1000 { // each one ends the one before
		n := copy(b.Free(), "\xf0")
		b.Filled(n)
		if held := b.end - b.done; held != 1 {
			t.Fatalf("%d bytes are held back", held)
		}
	}
}

func TestFreeIsNeverEmptyAndStays(t *testing.T) {
	for _, read := range []int{1, 20, 700, 5000, maxBlock} {
		b := NewBuffer(Stdout)
		for range 200 {
			free := b.Free()
			if len(free) == 0 {
				t.Fatalf("reads of %d: no space", read)
			}
			if again := b.Free(); &again[0] != &free[0] {
				t.Fatalf("reads of %d: the space moved without a read", read)
			}
			b.Filled(min(read, len(free)))
		}
	}
}

func TestBlocksGrowAndAreFilled(t *testing.T) {
	for _, read := range []int{1, 20, 80, 700, 4096, 30_000, maxBlock} {
		b := NewBuffer(Stdout)
		var sizes []int
		var filled, taken int
		for range 200_000 {
			old, end := b.block, b.end
			free := b.Free()
			if b.block != old {
				sizes = append(sizes, len(b.block.data))
				if old != nil {
					filled, taken = filled+end, taken+len(old.data)
				}
			}
			if b.Filled(min(read, len(free))); taken > 1<<20 {
				break
			}
		}
		for i, size := range sizes {
			if want := min(minBlock<<i, maxBlock); size != want {
				t.Fatalf("reads of %d: block %d has %d bytes, want %d", read, i, size, want)
			}
		}
		if filled < taken*3/4 {
			t.Errorf("reads of %d: only %d of %d bytes are used", read, filled, taken)
		}
	}
}

func TestIdleGivesBackOnlyWhatHoldsNothing(t *testing.T) {
	b := NewBuffer(Stdout)
	if b.Idle(); b.block != nil {
		t.Error("a new buffer has a block")
	}
	b.Free()
	if b.Idle(); b.block != nil {
		t.Error("an empty block is kept")
	}
	if _, ok := b.Filled(0); ok {
		t.Error("nothing was handed over as something")
	}
	for _, text := range []string{"\xc3", "a"} {
		copy(b.Free(), text)
		b.Filled(1)
		if b.Idle(); b.block == nil {
			t.Errorf("a block that holds %q was given back", text)
		}
	}
}

func TestValidTextInValidSegments(t *testing.T) {
	text := bytes.Repeat([]byte("aé€😀"), 20_000)
	l, out := NewLog(100_000), newStream(Stdout)
	out.read(text, func(s Slice) {
		l.Append(s)
		for seg := range l.Segments(0, 0) {
			if !utf8.Valid(seg.Data) {
				t.Fatalf("a segment at %d is split", seg.Offset)
			}
		}
	})
}

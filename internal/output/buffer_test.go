package output

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFaultCharacterSplitBetweenReads(t *testing.T) {
	for i := range len(mixed) + 1 {
		for j := i; j <= len(mixed); j++ {
			l, out := NewLog(-1), newStream(Stdout)
			for _, part := range []string{mixed[:i], mixed[i:j], mixed[j:]} {
				out.read([]byte(part), func(s Slice) {
					require.Len(t, s.bytes(), wholes(s.bytes()), "split at %d and %d: a slice ends inside a character: %q", i, j, s.bytes())
					l.Append(s)
				})
			}
			out.flush(appendTo(l))
			require.Equal(t, mixed, combined(l, 0, 0), "split at %d and %d", i, j)
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
			assert.Equal(t, []string{text[:minBlock-n], char + "y"}, got, "%s, %d bytes in the first block", char, n)
		}
	}
}

func TestFlushHandsOverTheRest(t *testing.T) {
	for _, rest := range []string{"", "\xc3", "\xe2\x82", "\xf0\x9f\x98"} {
		b := NewBuffer(Stdout)
		n := copy(b.Free(), rest)
		_, ok := b.Filled(n)
		assert.False(t, ok, "%q was not held back", rest)
		s, ok := b.Flush()
		assert.Equal(t, rest != "", ok, "%q", rest)
		assert.Equal(t, len(rest), s.Len(), "%q", rest)
		if ok {
			assert.Equal(t, rest, string(s.bytes()))
		}
		_, again := b.Flush()
		assert.False(t, again, "%q: there is something left after Flush", rest)
		assert.Nil(t, b.block, "%q: there is a block left after Flush", rest)
	}
}

func TestHeldBackIsNotMoreThanACharacter(t *testing.T) {
	b := NewBuffer(Stdout)
	for range 1000 { // each one ends the one before
		n := copy(b.Free(), "\xf0")
		b.Filled(n)
		require.Equal(t, 1, b.end-b.done, "bytes that are held back")
	}
}

func TestFreeIsNeverEmptyAndStays(t *testing.T) {
	for _, read := range []int{1, 20, 700, 5000, maxBlock} {
		b := NewBuffer(Stdout)
		for range 200 {
			free := b.Free()
			require.NotEmpty(t, free, "reads of %d: no space", read)
			require.Same(t, &free[0], &b.Free()[0], "reads of %d: the space moved without a read", read)
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
			require.Equal(t, min(minBlock<<i, maxBlock), size, "reads of %d: the bytes of block %d", read, i)
		}
		assert.GreaterOrEqual(t, filled, taken*3/4, "reads of %d: of %d bytes", read, taken)
	}
}

func TestIdleGivesBackOnlyWhatHoldsNothing(t *testing.T) {
	b := NewBuffer(Stdout)
	b.Idle()
	assert.Nil(t, b.block, "a new buffer has a block")
	b.Free()
	b.Idle()
	assert.Nil(t, b.block, "an empty block is kept")
	_, ok := b.Filled(0)
	assert.False(t, ok, "nothing was handed over as something")
	for _, text := range []string{"\xc3", "a"} {
		copy(b.Free(), text)
		b.Filled(1)
		b.Idle()
		assert.NotNil(t, b.block, "a block that holds %q was given back", text)
	}
}

func TestValidTextInValidSegments(t *testing.T) {
	text := bytes.Repeat([]byte("aé€😀"), 20_000)
	l, out := NewLog(100_000), newStream(Stdout)
	out.read(text, func(s Slice) {
		l.Append(s)
		for seg := range l.Segments(0, 0) {
			require.True(t, utf8.Valid(seg.Data), "a segment at %d is split", seg.Offset)
		}
	})
}

package output

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func blockingLog(limit int64) *Log {
	l := NewLog(limit)
	l.Block()
	return l
}

func TestRoom(t *testing.T) {
	l, out := blockingLog(10), newStream(Stdout)
	add := func(text string) { out.read([]byte(text), appendTo(l)) }
	assert.Equal(t, int64(10), l.Room())
	add("12345678")
	assert.Equal(t, int64(2), l.Room())
	assert.False(t, l.Asked(3), "nobody waits")
	assert.Equal(t, int64(5), l.Room())
	assert.Zero(t, l.First(), "it is within the limit")
	add("90abc")
	assert.Equal(t, int64(3), l.First(), "what was asked beyond goes")
	assert.Zero(t, l.Room())
	assert.False(t, l.Asked(2), "a reader that goes back")
	assert.False(t, l.Asked(-1))
	assert.True(t, l.Asked(4))
	assert.False(t, l.Asked(5), "who waited was told")
	assert.Equal(t, int64(2), l.Room())
	add("0123456789") // what is left of a process is taken
	assert.Equal(t, int64(5), l.First())
	assert.Equal(t, int64(-8), l.Room())
	assert.False(t, l.Asked(13), "it is still full")
	assert.True(t, l.Asked(14))
	assert.False(t, l.Asked(math.MaxInt64))
	assert.Equal(t, int64(10), l.Room())
}

func TestLogsThatNeverLackRoom(t *testing.T) {
	for name, l := range map[string]*Log{"it drops": NewLog(1), "no limit": blockingLog(-1)} {
		newStream(Stdout).read(make([]byte, 1000), appendTo(l))
		assert.Equal(t, int64(math.MaxInt64), l.Room(), name)
		assert.False(t, l.Blocks(), name)
		assert.False(t, l.Asked(1000), name)
	}
}

// Whatever is appended within the room, and read in whatever pieces: nothing is lost, and no
// more is retained than the limit, but for a character.
func TestBlockingLogLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := blockingLog(rapid.Int64Range(1, 300).Draw(t, "limit"))
		streams := []stream{newStream(Stdout), newStream(Stderr)}
		var all, got []byte
		cursor := int64(0)
		t.Repeat(map[string]func(*rapid.T){
			"write": func(t *rapid.T) {
				text := []byte(rapid.StringN(0, 50, 200).Draw(t, "text"))
				text = text[:min(int64(len(text)), max(0, l.Room()))]
				out := streams[rapid.IntRange(0, 1).Draw(t, "stream")]
				out.read(text, func(s Slice) {
					all = append(all, s.Bytes()...)
					l.Append(s)
				})
			},
			"read": func(t *rapid.T) {
				l.Asked(cursor)
				for s := range l.Segments(cursor, rapid.IntRange(0, 20).Draw(t, "most")) {
					require.Equal(t, cursor, s.Offset)
					got = append(got, s.Data...)
					cursor += int64(len(s.Data))
				}
			},
			"": func(t *rapid.T) {
				first, end := l.Bounds()
				assert.LessOrEqual(t, first, cursor)
				assert.LessOrEqual(t, end-first, l.Limit()+3+6) // what a buffer has held back comes late
				require.Equal(t, string(all[:len(got)]), string(got))
			},
		})
	})
}

// A reader may be in the middle of a character, which is not dropped then.
func TestTheRestOfACharacterIsKept(t *testing.T) {
	l, out := blockingLog(1), newStream(Stdout)
	out.read([]byte("é"), appendTo(l))
	out.read([]byte("€x"), appendTo(l))
	for cursor, rest := range []string{"é€x", "\xa9€x", "€x", "\x82\xacx", "\xacx", "x", ""} {
		l.Asked(int64(cursor))
		assert.Equal(t, rest, combined(l, int64(cursor), 0))
	}
}

// A limit that is beyond all memory is one, too.
func TestTheGreatestLimitKeepsAll(t *testing.T) {
	for _, limit := range []int64{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - slack, math.MaxInt64 - 2*slack, math.MaxInt64 / 2} {
		l, streams := NewLog(limit), []stream{newStream(Stdout), newStream(Stderr)}
		for range 100 {
			for i := range streams {
				streams[i].read([]byte("output\n"), appendTo(l))
			}
		}
		first, end := l.Bounds()
		assert.Equal(t, int64(1400), end-first, "%d", limit)
	}
}

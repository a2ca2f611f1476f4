package lines

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// linesOf is what a scanner is to find: a line for each newline, and before that, for each
// carriage return after which something comes, what stands before it.
func linesOf(text string, skip bool) (lines []string, rest string) {
	all := strings.SplitAfter(text, "\n")
	for i, line := range all {
		body, ended := strings.CutSuffix(line, "\n")
		states := strings.Split(strings.TrimRight(body, "\r"), "\r")
		for k, state := range states {
			switch last := k == len(states)-1; {
			case skip && i == 0 && k == 0: // it is no line
			case last && !ended:
				rest = state
			case last || state != "":
				lines = append(lines, state)
			}
		}
	}
	return lines, rest
}

func TestLinesComeWholeHoweverTheyAreSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab\n\r]{0,60}`).Draw(t, "text")
		skip := rapid.Bool().Draw(t, "skip")
		var scanner Scanner
		if skip {
			scanner.Skip()
		}
		var got []string
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			assert.True(t, scanner.Feed([]byte(rest[:n]), func(line []byte) bool {
				got = append(got, string(line))
				return true
			}))
			rest = rest[n:]
		}
		want, last := linesOf(text, skip)
		require.Equal(t, want, got, "%q", text)
		require.Equal(t, last, string(scanner.Rest()), "the rest of %q", text)
	})
}

func TestALineBeginsAnewAtACarriageReturn(t *testing.T) {
	for text, want := range map[string][]string{
		"one\r\n":              {"one"},
		"one\r\r\n":            {"one"},
		"10%\r20%\r100%\n":     {"10%", "20%", "100%"},
		"\r[= ]\r[==]\rdone\n": {"[= ]", "[==]", "done"},
		"\r\r\n":               {""},
		"\n":                   {""},
	} {
		var scanner Scanner
		var got []string
		scanner.Feed([]byte(text), func(line []byte) bool { got = append(got, string(line)); return true })
		assert.Equal(t, want, got, "%q", text)
	}
}

func TestALongLineIsCut(t *testing.T) {
	var scanner Scanner
	long := strings.Repeat("x", MaxLine/2)
	var got []int
	count := func(line []byte) bool { got = append(got, len(line)); return true }
	for range 5 {
		scanner.Feed([]byte(long), count)
	}
	scanner.Feed([]byte("\nshort\n"+long+long+long+"\nshort\r"+long+long+long+"\rend\n"), count)
	assert.Equal(t, []int{MaxLine, 5, MaxLine, 5, MaxLine, 3}, got)
}

// However a line grows, what is looked at of it is a small multiple of what it may have.
func TestLookingAtALongLineCostsLittle(t *testing.T) {
	for _, step := range []int{1, 7, 1000} {
		var scanner Scanner
		looked, looks := 0, 0
		for fed := 0; fed < 20*MaxLine; fed += step {
			scanner.Feed([]byte(strings.Repeat(".", step)), nil)
			if now, _ := scanner.IsDue(); now && fed > short {
				looked += len(scanner.Rest())
				looks++
			}
		}
		assert.Less(t, looked, 10*MaxLine, "%d bytes at a time", step)
		if _, later := scanner.IsDue(); later {
			assert.Len(t, scanner.Rest(), MaxLine)
		}
		scanner.Feed([]byte("more"), nil)
		now, later := scanner.IsDue()
		assert.False(t, now, "what is beyond is not looked at")
		assert.False(t, later, "what is beyond is not looked at")
		assert.Empty(t, scanner.Rest())
	}
}

func TestFeedStopsWhenAsked(t *testing.T) {
	for _, text := range []string{"a\nb\nc\n", "a\rb\rc\r", "a\r\nb\rc"} {
		var scanner Scanner
		n := 0
		assert.False(t, scanner.Feed([]byte(text), func([]byte) bool { n++; return n < 2 }), text)
		assert.Equal(t, 2, n, text)
	}
}

func BenchmarkFeed(b *testing.B) {
	data := make([]byte, 32<<10)
	for i := range data {
		data[i] = ' ' + byte(rand.N(80))
	}
	var scanner Scanner
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		scanner.Feed(data, func([]byte) bool { return true })
	}
}

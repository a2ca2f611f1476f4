package lines

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestLinesComeWholeHoweverTheyAreSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ab\n\r]{0,60}`).Draw(t, "text")
		var scanner Scanner
		var got []string
		for rest := text; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "n")
			scanner.Feed([]byte(rest[:n]), func(line []byte) bool {
				got = append(got, string(line))
				return true
			})
			rest = rest[n:]
		}
		want := strings.Split(text, "\n")
		last := want[len(want)-1]
		want = want[:len(want)-1]
		for i := range want {
			want[i] = strings.TrimSuffix(want[i], "\r")
		}
		if !slices.Equal(got, want) || string(scanner.Rest()) != last {
			t.Fatalf("%q gave %q and %q", text, got, scanner.Rest())
		}
	})
}

func TestALongLineIsCut(t *testing.T) {
	var scanner Scanner
	long := strings.Repeat("x", MaxLine/2)
	var got []int
	count := func(line []byte) bool { got = append(got, len(line)); return true }
	for range 5 {
		scanner.Feed([]byte(long), count)
	}
	scanner.Feed([]byte("\nshort\n"+long+long+long+"\n"), count)
	if !slices.Equal(got, []int{MaxLine, 5, MaxLine}) {
		t.Fatalf("lines of %v bytes", got)
	}
}

func TestFeedStopsWhenAsked(t *testing.T) {
	var scanner Scanner
	n := 0
	if scanner.Feed([]byte("a\nb\nc\n"), func([]byte) bool { n++; return n < 2 }) || n != 2 {
		t.Fatalf("stopped after %d lines", n)
	}
}

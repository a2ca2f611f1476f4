package output

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

// prefixes is every beginning of a valid encoding that is not whole.
var prefixes = func() map[string]bool {
	m := make(map[string]bool)
	for r := rune(0x80); r <= utf8.MaxRune; r++ {
		if s := string(r); utf8.ValidRune(r) {
			for n := 1; n < len(s); n++ {
				m[s[:n]] = true
			}
		}
	}
	return m
}()

// wholes is complete, by brute force.
func wholes(p []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(p); n++ {
		if prefixes[string(p[len(p)-n:])] {
			return len(p) - n
		}
	}
	return len(p)
}

func TestComplete(t *testing.T) {
	for _, c := range []struct {
		name, in string
		held     int
	}{
		{"nothing", "", 0},
		{"ASCII", "abc", 0},
		{"two bytes, whole", "aé", 0},
		{"two bytes, one here", "a\xc3", 1},
		{"three bytes, whole", "€", 0},
		{"three bytes, one here", "\xe2", 1},
		{"three bytes, two here", "\xe2\x82", 2},
		{"four bytes, whole", "😀", 0},
		{"four bytes, one here", "x\xf0", 1},
		{"four bytes, two here", "x\xf0\x9f", 2},
		{"four bytes, three here", "x\xf0\x9f\x98", 3},
		{"after an incomplete one", "\xe2\x82\xf0\x9f", 2},
		{"never a start byte", "\xff", 0},
		{"start byte of a longer UTF-8", "\xf8\x88", 0},
		{"beyond U+10FFFF", "\xf4\x90", 0},
		{"at U+10FFFF", "\xf4\x8f\xbf", 3},
		{"overlong, two bytes", "\xc0", 0},
		{"overlong, three bytes", "\xe0\x80", 0},
		{"overlong, four bytes", "\xf0\x80\x80", 0},
		{"surrogate", "\xed\xa0", 0},
		{"just before the surrogates", "\xed\x9f", 2},
		{"continuation bytes only", "\x80\x80\x80\x80", 0},
		{"start byte too far back", "\xf0\x9f\x98\x80\x80", 0},
		{"interrupted", "\xe2a", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.held, len(c.in)-complete([]byte(c.in)), "bytes of %q that are held back", c.in)
		})
	}
}

func TestAround(t *testing.T) {
	for _, c := range []struct {
		name, in        string
		cut, start, end int
	}{
		{"at the beginning", "€", 0, 0, 0},
		{"in ASCII", "abc", 1, 1, 1},
		{"between two", "é€", 2, 2, 2},
		{"in two bytes", "aéb", 2, 1, 3},
		{"in three bytes, after one", "a€b", 2, 1, 4},
		{"in three bytes, after two", "a€b", 3, 1, 4},
		{"in four bytes, after three", "a😀b", 4, 1, 5},
		{"in U+FFFD itself", "\ufffd", 1, 0, 3},
		{"in continuation bytes", "\x80\x80\x80\x80", 2, 2, 2},
		{"in continuation bytes after a whole one", "é\x80\x80\x80", 4, 4, 4},
		{"in an incomplete one", "\xe2\x82", 1, 1, 1},
		{"in an interrupted one", "\xf0\x9f\x98a", 2, 2, 2},
		{"in a surrogate", "\xed\xa0\x80", 1, 1, 1},
		{"in an overlong one", "\xe0\x80\xaf", 1, 1, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			start, end := around([]byte(c.in), c.cut)
			assert.Equal(t, [2]int{c.start, c.end}, [2]int{start, end}, "%q cut at %d", c.in, c.cut)
		})
	}
}

// Every sequence of up to four bytes of the interesting kinds.
func TestRunesExhaustively(t *testing.T) {
	kinds := "a\x80\x8f\x90\x9f\xa0\xbf\xc1\xc3\xe0\xe2\xed\xf0\xf1\xf4\xf5\xff"
	var try func(p []byte)
	try = func(p []byte) {
		// There are hundreds of thousands: an assertion for each is slow.
		if got, want := complete(p), wholes(p); got != want {
			assert.Equal(t, want, got, "complete(%q)", p)
		}
		inside := insides(p)
		holds := func(holds bool, p []byte, cut, start, end int, what string) {
			if !holds {
				assert.Fail(t, what, "around(%q, %d) = %d, %d", p, cut, start, end)
			}
		}
		for cut := range p {
			start, end := around(p, cut)
			holds(start <= cut, p, cut, start, end, "it starts behind the cut")
			holds(end >= cut, p, cut, start, end, "it ends before the cut")
			holds((start < end) == inside[cut], p, cut, start, end, "it is something exactly if the cut is inside a character")
			holds(!inside[start], p, cut, start, end, "it starts inside a character")
			holds(end >= len(p) || !inside[end], p, cut, start, end, "it ends inside a character")
		}
		if len(p) < 4 {
			for i := range len(kinds) {
				try(append(p, kinds[i]))
			}
		}
	}
	try(make([]byte, 0, 4))
}

// insides says of every position of p whether it is inside a valid encoding.
func insides(p []byte) []bool {
	inside := make([]bool, len(p))
	for i := 0; i < len(p); {
		_, size := utf8.DecodeRune(p[i:])
		for j := i + 1; j < i+size; j++ {
			inside[j] = true
		}
		i += size
	}
	return inside
}

// mixed has characters of all lengths beside each other, and what is none.
var mixed = "aé€😀\xff😀€éa\xed\xa0\x80é\xc0\xaf€\x80\x80\x80\x80😀" + strings.Repeat("ü", 5)

package plaintext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/procession-go/procession/internal/escape"
)

// What outputs are made of, and what breaks programs that read them.
var pieces = []string{
	"a", "bc", "some text", " ", "  ", "é", "✓", "漢字", "👍", "e\u0301", "\u200d", "\ufeff", "\u0301",
	"\n", "\n", "\r\n", "\r", "\r", "\b", "\b\b\b", "\t", "\f", "\v", "\a", "\x00", "\x7f", "\x0e", "\x0f",
	"\x1b", "\x1b[", "\x1b]", "\x1bP", "\x1b_", "\x1b\\", "\x9b", "\x9c", "\x18", "\x1b[31m", "\x1b[m",
	"\x1bk", "\x1bX", "\x1b^", strings.Repeat("long ✓", 600), "\x1b]" + strings.Repeat("漢\u009b", 850), "\x1b]0;title ✓\a", "\x1b]8;;http://x/\x1b\\", "\x1bPq#0\x1b\\", "\x1bkt\x1b\\", "\x1b(0", "\x1b(B", "\x1b)0",
	"\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[J", "\x1b[1J", "\x1b[2J", "\x1b[3J", "\x1b[X", "\x1b[3X", "\x1b[2@", "\x1b[2P", "\x1b[3b",
	"\x1b[A", "\x1b[2A", "\x1b[40A", "\x1b[999A", "\x1b[B", "\x1b[3B", "\x1b[999B", "\x1b[C", "\x1b[5C", "\x1b[999C", "\x1b[D", "\x1b[3D",
	"\x1b[E", "\x1b[F", "\x1b[G", "\x1b[7G", "\x1b[999G", "\x1b[H", "\x1b[3;5H", "\x1b[40;1H", "\x1b[999;999H", "\x1b[4d",
	"\x1b[I", "\x1b[2Z", "\x1b[L", "\x1b[2M", "\x1b[2S", "\x1b[T", "\x1b7", "\x1b8", "\x1bD", "\x1bM", "\x1bE", "\x1bc", "\x1b[!p",
	"\x1b[2;4r", "\x1b[1;23r", "\x1b[1;49r", "\x1b[r", "\x1b[?1049h", "\x1b[?1049l", "\x1b[?47h", "\x1b[?47l", "\x1b[?25l",
	"\xff", "\xe2", "\xe2\x9c", "\xf0\x9f\x91", "\x80", "\u0085", "\u009b2J", "\u009d", "\u0090",
	"\x1b[99999999999999999999A", "\x1b[2147483647C", "\x1b[;;;;;;;;;;;;;;;;;;;;;;;;;;1H", "\x1b[-1A", "\x1b[1 2A",
}

func output(t *rapid.T) string {
	s := strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "pieces"), "")
	return s + string(rapid.SliceOfN(rapid.Byte(), 0, 8).Draw(t, "bytes"))
}

func TestSplitsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := output(t)
		rows := rapid.SampledFrom([]int{0, 0, 1, 2, 3, 24}).Draw(t, "rows")
		one := Renderer{Rows: rows}
		one.Write([]byte(s))
		want := one.Lines() + one.Rest()
		if rows == 0 {
			require.Equal(t, String(s), want, "a Renderer makes something else of it than String")
		}
		r, got := Renderer{Rows: rows}, ""
		for s != "" {
			n := min(len(s), rapid.SampledFrom([]int{1, 1, 2, 3, 4, 5, 6, 1000, 4096}).Draw(t, "n"))
			p := []byte(s[:n])
			r.Write(p)
			clear(p) // it must not be kept
			s = s[n:]
			r.Rest()
			got += r.Lines()
		}
		require.Equal(t, want, got+r.Rest(), "in pieces, and whole")
	})
}

func TestOutputIsCleanAndStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { check(t, output(t)) })
}

func check(t require.TestingT, s string) {
	got := String(s)
	require.True(t, clean(got), "controls in String(%q) = %q", s, got)
	require.Equal(t, got, String(got), "a second pass changes it")
	// The way through the screen leaves it alone, too.
	require.Equal(t, got, inPieces(got, 1+len(got)/3), "a Renderer changes it")
}

// strings are what begins a control string, and what ends it.
var controlStrings = []struct{ begin, end string }{
	{"\x1b]", "\a"}, {"\x1b]0;", "\x1b\\"}, {"\x1bP", "\x1b\\"}, {"\x1bP1;2$q", "\x18"}, {"\x1bX", "\x1b\\"},
	{"\x1b^", "\x1a"}, {"\x1b_", "\x1b\\"}, {"\x1bk", "\x1b\\"},
}

// Whatever has begun a control string, what is legible behind it is shown; and of a
// string that has its end in time, nothing is.
func TestAControlStringHidesNothingBehindIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(controlStrings).Draw(t, "kind")
		content := strings.Join(rapid.SliceOf(rapid.SampledFrom([]string{"a", "Z9 ", "é", "✓", "👍", "\t", "\r", strings.Repeat("x", 1000), strings.Repeat("漢", 500)})).Draw(t, "content"), "")
		if whole := "before" + kind.begin + content + kind.end; len(content) < escape.Longest-10 {
			require.Equal(t, "beforebehind", String(whole+"behind"), "%q", whole)
		}
		for _, lost := range []string{"\n", strings.Repeat("y", escape.Longest)} {
			got := String(kind.begin + content + lost + "\nbehind")
			require.True(t, strings.HasSuffix(got, "\nbehind"), "behind %q and %d more: %q", kind.begin+content, len(lost), got)
			require.Contains(t, got, strings.TrimSpace(lost), "behind %q", kind.begin+content)
			legible := func(c rune) rune {
				if c <= ' ' {
					return -1
				}
				return c
			}
			got = String(kind.begin + strings.ReplaceAll(content, "\r", "") + lost)
			require.Equal(t, strings.Map(legible, kind.begin+content+lost), strings.Map(legible, got))
		}
	})
}

func TestPlainTextStays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Map(func(c rune) rune {
			if c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0 {
				return '\n'
			}
			return c
		}, rapid.String().Draw(t, "s"))
		require.Equal(t, s, String(s))
		require.Equal(t, s, inPieces(s, rapid.IntRange(1, 9).Draw(t, "n")), "a Renderer changes it")
		require.Equal(t, s, String("\x1b[m"+s), "behind a sequence")
	})
}

// One line against a model without any of the shortcuts that row takes: a slice
// of cells that holds what is in each.
func TestLineIsLikeItsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Renderer
		var m model
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			op := rapid.SampledFrom([]string{"a", "b", "x", "漢", "👍", "━", "\r", "\b", "\t", "\x1b[3C", "\x1b[2D", "\x1b[9G", "\x1b[K", "\x1b[1K", "\x1b[2K", "\x1b[2X", "\x1b[2@", "\x1b[P"}).Draw(t, "op")
			r.Write([]byte(op))
			m.do(op)
			require.Equal(t, m.String(), expand(r.Rest()), "after %q", op)
		}
	})
}

type model struct {
	cells []string // "" is blank, "<" the second half of the character before
	x     int
}

func (m *model) do(op string) {
	m.grow(m.x + 10)
	switch op {
	case "\r":
		m.x = 0
	case "\b":
		m.x = max(0, m.x-1)
	case "\t":
		m.x = nextTab(m.x)
	case "\x1b[3C":
		m.x += 3
	case "\x1b[2D":
		m.x = max(0, m.x-2)
	case "\x1b[9G":
		m.x = 8
	case "\x1b[K":
		m.blank(m.x, len(m.cells))
	case "\x1b[1K":
		m.blank(0, m.x+1)
	case "\x1b[2K":
		m.blank(0, len(m.cells))
	case "\x1b[2X":
		m.blank(m.x, m.x+2)
	case "\x1b[2@":
		if m.cells[m.x] == "<" {
			m.blank(m.x, m.x+1)
		}
		tail := append([]string{"", ""}, m.cells[m.x:]...)
		m.cells = append(m.cells[:m.x:m.x], tail...)
	case "\x1b[P":
		m.blank(m.x, m.x+1)
		m.cells = append(m.cells[:m.x], m.cells[m.x+1:]...)
	default:
		w := 1
		if op == "漢" || op == "👍" {
			w = 2
		}
		m.blank(m.x, m.x+w)
		m.cells[m.x] = op
		if w == 2 {
			m.cells[m.x+1] = "<"
		}
		m.x += w
	}
}

func (m *model) grow(n int) {
	for len(m.cells) < n {
		m.cells = append(m.cells, "")
	}
}

func (m *model) blank(a, b int) {
	for i := a; i < b; i++ {
		if m.cells[i] == "<" {
			m.cells[i-1] = ""
		}
		if i+1 < len(m.cells) && m.cells[i+1] == "<" {
			m.cells[i+1] = ""
		}
		m.cells[i] = ""
	}
}

func (m *model) String() string {
	var b strings.Builder
	for _, c := range m.cells {
		switch c {
		case "":
			b.WriteByte(' ')
		case "<":
		default:
			b.WriteString(c)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// expand makes blanks of tabs, which the model does not tell from each other.
func expand(s string) string {
	var b strings.Builder
	x := 0
	for _, c := range s {
		if c == '\t' {
			b.WriteString(strings.Repeat(" ", nextTab(x)-x))
			x = nextTab(x)
			continue
		}
		b.WriteRune(c)
		x += cellsOf(c)
	}
	return strings.TrimRight(b.String(), " ")
}

func FuzzString(f *testing.F) {
	for _, table := range tables {
		for _, tt := range table {
			f.Add([]byte(tt.in), uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, n uint8) {
		if len(b) > 4<<10 {
			t.Skip("looking at the rest after each piece is quadratic")
		}
		want := Bytes(b)
		require.Equal(t, want, inPieces(string(b), max(1, int(n))), "in pieces of %d, and whole", n)
		check(t, string(b))
		if isPlain(b) && utf8.Valid(b) {
			require.Equal(t, string(b), want, "plain text has changed")
		}
	})
}

package screen

import (
	"bytes"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestScreenLines(t *testing.T) {
	const red, plain = "\x1b[31m", "\x1b[m"
	for name, test := range map[string]struct{ text, want string }{
		"text":                          {"one\ntwo\r\nthree", "> one\n> two\n> three\n"},
		"empty lines":                   {"\n\r\n", "> \n> \n"},
		"a carriage return":             {"10%\r100% done\n", "> 100% done\n"},
		"what is longer stays":          {"100%\r5\n", "> 500%\n"},
		"and erased":                    {"100%\r\x1b[K5\n", "> 5\n"},
		"a spinner":                     {"|\b/\b-\b done\n", ">  done\n"},
		"a tab":                         {"a\tb\rcd\te\n", "> cd      e\n"},
		"colours":                       {red + "red" + "\x1b[0m no\n", "> " + red + "red" + plain + " no\n"},
		"a colour over lines":           {red + "one\ntwo\n", "> " + red + "one" + plain + "\n> " + red + "two" + plain + "\n"},
		"many colours":                  {"\x1b[1;38;5;9;48;2;1;2;3mx\x1b[22;49my\x1b[38:2::4:5:6mz\n", "> \x1b[38;5;9;48;2;1;2;3;1mx" + plain + "\x1b[38;5;9my" + plain + "\x1b[38:2:0:4:5:6mz" + plain + "\n"},
		"a colour that is written over": {red + "red\r" + plain + "no\n", "> no" + red + "d" + plain + "\n"},
		"a cut colour":                  {"a\x1b[3\x18\nb\n", "> a\n> b\n"},
		"queries":                       {"a\x1b[c\x1b[6n\x1b[>c\x1b[?25$p\x1b]11;?\x07\x1bP+q544e\x1b\\\x1b[18tb\n", "> ab\n"},
		"modes":                         {"a\x1b[?25l\x1b[?2004h\x1b=\x1b[?1002;1006h\x1b[3;5r\x1b[4hb\n", "> ab\n"},
		"a title without its end":       {"\x1b]0;ti\r\ntle\n\x1bkvim\nb\n", "> ]0;ti\n> tle\n> kvim\n> b\n"},
		"a string without its end":      {"\x1bP1$" + strings.Repeat("漢", 1500) + "\n", "> P1$" + strings.Repeat("漢", 1500) + "\n"},
		"a title of screen(1)":          {"\x1bkvim\x1b\\a\n", "> a\n"},
		"a title and a link":            {"\x1b]0;title ü\x07a\x1b]8;;http://x\x1b\\b\x1b]8;;\x1b\\\n", "> ab\n"},
		"bells and C1":                  {"a\x07\u009b2Jb\x7f\x00c\n", "> a2Jbc\n"},
		"another screen":                {"before\x1b[?1049h\x1b[H\x1b[2Jvi\x1b[3;4Hx\x1b[3;1Hw\x1b[24;1H-- INSERT --\x1b[?1049lafter\n", "> before\n> vi\n> w  x\n> -- INSERT --\n> after\n"},
		"up, and again":                 {"one 1\ntwo 1\x1b[Aone 2\ntwo 2\n", "> one 1\n> two 1\n>      one 2\n> two 2\n"},
		"save and restore":              {"ab\x1b7cd\x1b8x\n", "> abxd\n"},
		"cells":                         {"abcdef\x1b[3D\x1b[P\x1b[@\x1b[2Xx\n", "> abcx f\n"},
		"to the right":                  {"a\x1b[3Cb\x1b[999Cc\n", "> a   b" + strings.Repeat(" ", 74) + "c\n"},
		"a character again":             {"=\x1b[4b>\n", "> =====>\n"},
		"wide ones":                     {"日本\rab語\n", "> ab語\n"},
		"half of a wide one":            {"日本\ra\n", "> a 本\n"},
		"combining":                     {"e\u0301\u0301a\n", "> e\u0301\u0301a\n"},
		"bytes that are no text":        {"a\xff\xe4b\n", "> a\ufffd\ufffdb\n"},
		"everything is reset":           {red + "a\x1bcb\n", "> " + red + "a" + plain + "\n> b\n"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{1, 3, len(test.text)} {
				var got bytes.Buffer
				l := newScreenLines(&LineWriter{mu: new(sync.Mutex), to: &got, prefix: "> "})
				for text := []byte(test.text); len(text) > 0; text = text[min(size, len(text)):] {
					n, err := l.Write(text[:min(size, len(text))])
					require.NoError(t, err)
					require.Equal(t, min(size, len(text)), n)
				}
				require.NoError(t, l.Close())
				assert.Equal(t, test.want, got.String(), "in pieces of %d", size)
			}
		})
	}
}

// What there is of a line is shown once; what is redrawn is shown anew.
func TestScreenLinesShowWhatHasNoEnd(t *testing.T) {
	for name, test := range map[string]struct {
		writes []string // each is shown
		want   string
	}{
		"a prompt":              {[]string{"login: ", "me\n"}, "> login: \n> me\n"},
		"all of it was shown":   {[]string{"login: ", "", "\nx\n"}, "> login: \n> x\n"},
		"a progress bar":        {[]string{"10%", "\r20%", "\r20%", "\r100%\n"}, "> 10%\n> 20%\n> 100%\n"},
		"dots":                  {[]string{".", "..", "\n"}, "> .\n> ..\n"},
		"erased":                {[]string{"wait", "\r\x1b[K", "\n"}, "> wait\n"},
		"nothing but a colour":  {[]string{"\x1b[31m", "x\n"}, "> \x1b[31mx\x1b[m\n"},
		"the end of a program":  {[]string{"no end"}, "> no end\n"},
		"a bar of another size": {[]string{"loading 1", "\r\x1b[Kok\n"}, "> loading 1\n> ok\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			l := newScreenLines(&LineWriter{mu: new(sync.Mutex), to: &got, prefix: "> "})
			for _, text := range test.writes {
				l.Write([]byte(text))
				require.NoError(t, l.Show())
				require.False(t, l.Unshown())
			}
			require.NoError(t, l.Close())
			assert.Equal(t, test.want, got.String())
		})
	}
}

// Whatever a program writes, each line that comes out begins with the prefix, ends
// without a colour, and has no control characters but those of its colours.
func TestScreenLinesAreSafe(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got bytes.Buffer
		l := newScreenLines(&LineWriter{mu: new(sync.Mutex), to: &got, prefix: "> "})
		piece := rapid.SampledFrom([]string{"a", "日", "\n", "\r", "\b", "\t", "\x1b[", "\x1b", "5", ";", ":", "m", "A", "H", "K", "J", "P", "@", "X", "C", "D",
			"b", "?1049h", "\x1b]", "\x07", "\x9b", "\u009d", "\xe6", "\x1b[31m", "\x1b7", "\x1b8", "\x0e", "\x7f"})
		for _, text := range rapid.SliceOf(piece).Draw(t, "text") {
			l.Write([]byte(text))
			if rapid.Bool().Draw(t, "show") {
				l.Show()
			}
		}
		l.Close()
		for line := range strings.Lines(got.String()) {
			text, ok := strings.CutPrefix(line, "> ")
			require.True(t, ok, line)
			parts := strings.Split(strings.TrimSuffix(text, "\n"), "\x1b[")
			for i, part := range parts {
				if i > 0 {
					codes, rest, ok := strings.Cut(part, "m")
					require.True(t, ok, line)
					require.Empty(t, strings.Trim(codes, "0123456789;:"), line)
					part = rest
				}
				require.NotRegexp(t, "[\x00-\x08\x0a-\x1f\x7f\u0080-\u009f]", part)
			}
			if len(parts) > 1 {
				require.True(t, strings.HasPrefix(parts[len(parts)-1], "m"), line)
			}
		}
	})
}

func TestScreenLinesAreBounded(t *testing.T) {
	var got bytes.Buffer
	l := newScreenLines(&LineWriter{mu: new(sync.Mutex), to: &got, prefix: "> "})
	for range 10 {
		l.Write(bytes.Repeat([]byte("x"), maxCells))
		l.Write([]byte("\x1b[99999999@\x1b[99999999b"))
		assert.LessOrEqual(t, len(l.cells), 2*maxCells)
	}
	l.Write([]byte("e" + strings.Repeat("\u0301", 1000) + "\n"))
	assert.LessOrEqual(t, strings.Count(got.String(), "\u0301"), maxCombining)
}

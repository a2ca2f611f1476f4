// Package visible shows the invisible characters of a text. They deceive its
// readers, above all models, which read what a person does not see.
package visible

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text is output with the characters that turn the direction of text (U+061C, U+200E,
// U+200F, U+202A to U+202E, U+2066 to U+2069), and with tags, which are not shown at all
// (U+E0000 to U+E007F), as what they are: <U+202E>. Everything else stays, joiners and
// variation selectors too. Text without them is returned itself.
func Text(s string) string { return replaced(s, deceives, asCode) }

// Line returns text as one line. It shows what Text shows; control characters, line
// separators and bytes that are not UTF-8 are written as in a Go string (\n, \x1b).
func Line(s string) string {
	return replaced(s, func(c rune) bool { return c == utf8.RuneError || breaks(c) || deceives(c) }, func(c rune, raw string) string {
		switch {
		case deceives(c):
			return asCode(c, raw)
		case c == utf8.RuneError && len(raw) > 1: // it stood there itself
			return raw
		}
		quoted := strconv.Quote(raw)
		return quoted[1 : len(quoted)-1]
	})
}

// Short is Line of the first n characters of s; if there are more, "…" follows.
func Short(s string, n int) string {
	begin, more := first(s, n)
	return Line(begin) + more
}

// Cut returns the first n characters of s; if there are more, "…" follows.
func Cut(s string, n int) string {
	begin, more := first(s, n)
	return begin + more
}

func first(s string, n int) (begin, more string) {
	if len(s) <= n {
		return s, ""
	}
	for at := range s {
		if n == 0 {
			return s[:at], "…"
		}
		n--
	}
	return s, ""
}

func deceives(c rune) bool {
	switch {
	case c < 0x061c:
		return false
	case c == 0x061c, c == 0x200e, c == 0x200f, c >= 0x202a && c <= 0x202e, c >= 0x2066 && c <= 0x2069:
		return true
	}
	return c >= 0xe0000 && c <= 0xe007f
}

// breaks reports whether c ends a line, or is a control.
func breaks(c rune) bool { return unicode.IsControl(c) || c == '\u2028' || c == '\u2029' }

func asCode(c rune, _ string) string { return fmt.Sprintf("<%U>", c) }

// replaced is s with what is found in it as it is to be shown.
func replaced(s string, found func(rune) bool, shown func(c rune, raw string) string) string {
	at := strings.IndexFunc(s, found)
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:at])
	for s = s[at:]; len(s) > 0; {
		c, n := utf8.DecodeRuneInString(s)
		if found(c) {
			b.WriteString(shown(c, s[:n]))
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

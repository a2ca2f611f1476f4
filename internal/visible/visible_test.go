package visible

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                          "",
		"plain\n\tnaïve 漢字\x1b[31m": "plain\n\tnaïve 漢字\x1b[31m",
		"👩‍👩‍👧 ❤️ e\u0301 \u00a0\ufeff\u200b": "👩‍👩‍👧 ❤️ e\u0301 \u00a0\ufeff\u200b",
		"שלום مرحبا":                     "שלום مرحبا",
		"a\u202eb":                       "a<U+202E>b",
		"\u061c\u200e\u200f":             "<U+061C><U+200E><U+200F>",
		"\u202a\u202b\u202c\u202d":       "<U+202A><U+202B><U+202C><U+202D>",
		"\u2066x\u2067\u2068\u2069":      "<U+2066>x<U+2067><U+2068><U+2069>",
		"\u200d\u2029\u202f\u2065\u206a": "\u200d\u2029\u202f\u2065\u206a",
		"hi\U000e0041\U000e007f":         "hi<U+E0041><U+E007F>",
		"\U000e0000\U000e0080\U000dffff": "<U+E0000>\U000e0080\U000dffff",
		"\xff\u202e\xff":                 "\xff<U+202E>\xff",
	} {
		assert.Equal(t, want, Text(text), "%q", text)
	}
}

func TestLine(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		`C:\new "file" naïve 👩‍👧`: `C:\new "file" naïve 👩‍👧`,
		"a\nproc_1  running":      `a\nproc_1  running`,
		"\x1b[2J\r\t\a\x00\x7f":   `\x1b[2J\r\t\a\x00\x7f`,
		"\u009b31m\u0085":         `\u009b31m\u0085`,
		"\u2028\u2029":            `\u2028\u2029`,
		"\u202ereverse\u2066":     `<U+202E>reverse<U+2066>`,
		"\U000e0041":              "<U+E0041>",
		"\xff\xe2\x9c \ufffd":     `\xff\xe2\x9c ` + "\ufffd",
	} {
		assert.Equal(t, want, Line(text), "%q", text)
	}
}

func TestShort(t *testing.T) {
	assert.Equal(t, "", Short("", 3))
	assert.Equal(t, "漢字漢", Short("漢字漢", 3))
	assert.Equal(t, "漢字漢…", Short("漢字漢字", 3))
	assert.Equal(t, `a\nb…`, Short("a\nbc", 3))
	assert.Equal(t, "abc…", Cut("abcd", 3))
	assert.Equal(t, "…", Cut("abcd", 0))
	assert.Equal(t, strings.Repeat("x", 4096)+"…", Cut(strings.Repeat("x", 3<<20), 4096))
}

// Whatever stands in it, a line is one line, and says nothing by what cannot be seen.
func TestALineIsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) + rapid.String().Draw(t, "text")
		line := Line(text)
		assert.True(t, utf8.ValidString(line))
		assert.Negative(t, strings.IndexFunc(line, func(c rune) bool {
			return unicode.IsControl(c) || unicode.In(c, unicode.Bidi_Control, unicode.Zl, unicode.Zp)
		}))
		assert.Equal(t, line, Line(line))
		assert.Equal(t, Text(text), Text(Text(text)))
	})
}

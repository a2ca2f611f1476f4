package terminal

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestModes(t *testing.T) {
	for _, test := range []struct{ name, output, resets string }{
		{"text", "a\tb\r\nüß\x07", ""},
		{"alternate screen", "\x1b[?1049h", "\x1b[?1049l"},
		{"and back", "\x1b[?1049h\x1b[2J\x1b[?1049l", ""},
		{"hidden cursor", "\x1b[?25l", "\x1b[?25h"},
		{"shown again", "\x1b[?25l\x1b[?12l\x1b[?25h", ""},
		{"no wrapping", "\x1b[?7l", "\x1b[?7h"},
		{"mouse, two at once", "\x1b[?1002;1006h", "\x1b[?1002l\x1b[?1006l"},
		{"one of them off", "\x1b[?1002;1006h\x1b[?1002l", "\x1b[?1006l"},
		{"bracketed paste", "\x1b[?2004h", "\x1b[?2004l"},
		{"application keys", "\x1b[?1h\x1b=", "\x1b[?1l\x1b>"},
		{"and not", "\x1b[?1h\x1b=\x1b[?1l\x1b>", ""},
		{"keypad as a private mode", "\x1b[?66h\x1b>", ""},
		{"colour", "\x1b[31mred", "\x1b[m"},
		{"no colour", "\x1b[31mred\x1b[m", ""},
		{"no colour either", "\x1b[1;38;5;1mred\x1b[0m", ""},
		{"the colour 0", "\x1b[38;5;0m", "\x1b[m"},
		{"true colour", "\x1b[48;2;0;0;0m", "\x1b[m"},
		{"with colons", "\x1b[38:2::0:0:0m", "\x1b[m"},
		{"a colour after a reset", "\x1b[;1m", "\x1b[m"},
		{"a reset after a colour", "\x1b[48:5:1;0m", ""},
		{"one attribute ends", "\x1b[1;31m\x1b[39m", "\x1b[m"},
		{"margins", "\x1b[2;20r", "\x1b7\x1b[r\x1b8"},
		{"no margins", "\x1b[2;20r\x1b[r", ""},
		{"margins of the other screen", "\x1b[?1049h\x1b[1;20r", "\x1b[r\x1b[?1049l"},
		{"modified keys", "\x1b[>4;2m", "\x1b[>4m"},
		{"and not", "\x1b[>4;2m\x1b[>4;m", ""},
		{"keyboard", "\x1b[>1u\x1b[?1049h\x1b[>1u\x1b[>5u\x1b[<u", "\x1b[<1u\x1b[?1049l\x1b[<1u"},
		{"keyboard, taken back", "\x1b[>1u\x1b[>1u\x1b[<2u\x1b[<9u", ""},
		{"keyboard flags", "\x1b[=1;1u", "\x1b[=0u"},
		{"cursor shape", "\x1b[5 q", "\x1b[0 q"},
		{"line drawing", "\x1b(0lqk\x0e", "\x0f\x1b(B"},
		{"and not", "\x1b(0lqk\x1b(B\x0e\x0f", ""},
		{"another set of characters for later", "\x1b)0", ""},
		{"insert mode", "\x1b[4h", "\x1b[4l"},
		{"an update that has not ended", "\x1b[?2026h\x1b[?25l", "\x1b[?2026l\x1b[?25h"},
		{"everything is reset", "\x1b[?1049;25h\x1b[?25l\x1b[7m\x1bc", ""},
		{"a soft reset", "\x1b[?1049h\x1b[?25l\x1b[7m\x1b=\x1b[!p", "\x1b[?1049l"},
		{"questions change nothing", "\x1b[?25$p\x1b[6n\x1b[c\x1b[?u\x1b[>c\x1b[?4m", ""},
		{"a title with anything in it", "\x1b]2;✓ [?25l\x07\x1bP1$r0m\x1b\\", ""},
		{"an unfinished sequence", "\x1b[?104", "\x18"},
		{"an unfinished title", "\x1b[?25l\x1b]2;vi", "\x18\x1b[?25h"},
		{"a sequence that is broken off", "\x1b[?2\x185l\x1b[?2ü5l", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			var m modes
			m.note([]byte(test.output))
			assert.Equal(t, test.resets, m.now.resets(), "what resets %q", test.output)
			var after modes
			after.note([]byte(test.output))
			after.note([]byte(m.now.resets()))
			assert.Empty(t, after.now.resets(), "what resets %q after its resets", test.output)
		})
	}
}

// What is on only for a while is known for as long as the piece is written.
func TestModesDuringAPiece(t *testing.T) {
	var m modes
	for _, test := range []struct{ output, during, now string }{
		{"\x1b[?25lx\x1b[?25h", "\x1b[?25h", ""},
		{"x", "", ""},
		{"\x1b[?1049h", "\x1b[?1049l", "\x1b[?1049l"},
		{"\x1b[?1049l", "\x1b[?1049l", ""},
	} {
		m.note([]byte(test.output))
		assert.Equal(t, test.during, m.during.resets(), "during %q", test.output)
		assert.Equal(t, test.now, m.now.resets(), "after %q", test.output)
	}
}

// Sequences may be split anywhere.
func TestModesOfPieces(t *testing.T) {
	pieces := []string{"\x1b[?1049h", "\x1b[?25l", "\x1b[?1003;1006h", "text", "ü✓", "\x1b[38;5;1m", "\x1b[m", "\x1b(0", "\x0e",
		"\x1b[?1049l", "\x1b[3;7r", "\x1b]0;ti✓tle\x1b\\", "\x1b[>1u", "\x1b[!p", "\x1bc", "\x1b", "\x9c", "\xff"}
	rapid.Check(t, func(t *rapid.T) {
		output := strings.Join(rapid.SliceOf(rapid.SampledFrom(pieces)).Draw(t, "output"), "")
		var whole, split modes
		whole.note([]byte(output))
		for rest := output; rest != ""; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			split.note([]byte(rest[:n]))
			rest = rest[n:]
		}
		require.Equal(t, whole.now, split.now)
	})
}

func FuzzModes(f *testing.F) {
	f.Add([]byte("\x1b[?1049;25l\x1b[38;5m\x1b[<99999999999999999999u\x1b]0;\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var m modes
		m.note(data)
		m.note([]byte(m.now.resets()))
		require.Empty(t, m.now.resets(), "what resets it after its resets")
	})
}

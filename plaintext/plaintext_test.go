package plaintext

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
)

var tables = map[string][]struct{ name, in, want string }{
	"plain": {
		{"nothing", "", ""},
		{"text", "hello\n", "hello\n"},
		{"no newline", "hello", "hello"},
		{"blank lines", "\n\na\n\n\n", "\n\na\n\n\n"},
		{"tabs and blanks", "\ta \t b  \n \n", "\ta \t b  \n \n"},
		{"unicode", "naïve 漢字 👩‍👩‍👧 e\u0301 \u00a0\ufeff\n", "naïve 漢字 👩‍👩‍👧 e\u0301 \u00a0\ufeff\n"},
		{"begins with a mark", "\u0301a\n", "\u0301a\n"},
	},
	"invalid": {
		{"byte", "a\xffb\n", "a\ufffdb\n"},
		{"cut at the end", "a\xe2\x9c", "a\ufffd\ufffd"},
		{"cut before text", "\xe2\x9ca\n", "\ufffd\ufffda\n"},
		{"cut before newline", "\xe2\x9c\nb", "\ufffd\ufffd\nb"},
		{"cut before a sequence", "\xe2\x9c\x1b[mb", "\ufffd\ufffdb"},
		{"8-bit CSI", "\x9b31mx", "\ufffd31mx"},
		{"surrogate", "\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"cut overwrites", "abc\r\xe2", "\ufffdbc"},
	},
	"stripped": {
		{"colours", "\x1b[1;31mred\x1b[0m \x1b[38;2;1;2;3mrgb\x1b[38:5:9mx\x1b[m\n", "red rgbx\n"},
		{"title, BEL", "\x1b]0;a title\x07text", "text"},
		{"title, ST", "\x1b]2;a title\x1b\\text", "text"},
		{"title with a byte 9C inside", "\x1b]0;✓ done ✳\x07text", "text"},
		{"hyperlink", "see \x1b]8;;https://example.org/\x1b\\here\x1b]8;;\x1b\\.", "see here."},
		{"title of screen(1)", "\x1bkvim\x1b\\text", "text"},
		{"DCS", "a\x1bP+q544e\x1b\\b", "ab"},
		{"DCS of tmux", "a\x1bPtmux;\x1b\x1b]52;c;eA==\x07\x1b\\b", "ab"},
		{"APC, PM, SOS", "a\x1b_Gf=100;é✓\x1b\\b\x1b^x\x1b\\c\x1bXy\x1b\\d", "abcd"},
		{"cancelled", "a\x1b]0;tit\x18b", "ab"},
		{"BEL, NUL, DEL, ENQ", "a\a\x00\x7f\x05b", "ab"},
		{"charsets", "\x1b(B\x1b)0\x1b*A\x1b%Ga\x1b#8", "a"},
		{"keypad, index of tabs", "\x1b=\x1b>\x1bHa", "a"},
		{"modes", "\x1b[?25l\x1b[?2004ha\x1b[?2026l\x1b[4h\x1b[>4;1m\x1b[=1u\x1b[2 q", "a"},
		{"queries", "\x1b[6n\x1b[c\x1b[>c\x1b[?u\x1b[14ta", "a"},
		{"C1 as characters", "a\u0090b\u009cc\u0081d", "abcd"},
		{"CSI as a character", "\u009b31mred", "red"},
		{"NEL as a character", "a\u0085b", "a\nb"},
		{"unfinished", "a\x1b[31", "a"},
		{"unfinished string", "a\x1b]0;title", "a"},
		{"broken by a character", "\x1b[3é", "é"},
		{"a control inside", "a\x1b[3\n1mb", "a\nb"},
		{"ESC ESC", "\x1b\x1b[mb", "b"},
		{"only colours", "\x1b[m", ""},
	},
	"lost terminator": {
		{"title and newline", "a\x1b]0;title\nb", "a]0;title\nb"},
		{"carriage return and newline", "a\x1b]0;title\r\nb", "a]0;title\nb"},
		{"title of screen(1)", "\x1bkvim\nb\n", "kvim\nb\n"},
		{"DCS", "\x1bP\nb", "P\nb"},
		{"DCS with parameters", "\x1bP1;2\nb", "P1;2\nb"},
		{"DCS with an intermediate", "\x1bP1$\nb", "P1$\nb"},
		{"DCS before a character", "\x1bP1é\nb", "P1é\nb"},
		{"DCS of screen(1)", "\x1bP\x1b]0;title\nb", "]0;title\nb"},
		{"SOS, PM, APC", "\x1bXa\n\x1b^b\n\x1b_c\nd", "Xa\n^b\n_c\nd"},
		{"a sequence inside", "\x1b]0;\u009b31mred\nb", "]0;red\nb"},
		{"once more", "\x1b]a\n\x1b]b\n\x1b]c\ad", "]a\n]b\nd"},
		{"4 KiB", "\x1b]" + strings.Repeat("x", 4096), "]" + strings.Repeat("x", 4096)},
		{"4 KiB, then an end", "\x1b_" + strings.Repeat("x", 5000) + "\x1b\\b", "_" + strings.Repeat("x", 5000) + "b"},
		{"4 KiB, in the midst of a character", "\x1bk" + strings.Repeat("漢", 2000), "k" + strings.Repeat("漢", 2000)},
		{"4 KiB, in the midst of a CSI", "\x1b]" + strings.Repeat("x", 4094) + "\u009b31mred", "]" + strings.Repeat("x", 4094) + "red"},
		{"not quite 4 KiB", "a\x1b]" + strings.Repeat("x", 4095) + "\ab", "ab"},
		{"not quite 4 KiB of characters", "a\x1bP" + strings.Repeat("漢", 1365) + "\x1b\\b", "ab"},
	},
	"line drawing": {
		{"G0", "\x1b(0lqk\nx x\x1b(Bx", "┌─┐\n│ │x"},
		{"G1", "\x1b)0\x0eqq\x0fqq", "──qq"},
	},
	"carriage return": {
		{"line end", "a\r\nb\r\n", "a\nb\n"},
		{"more of them", "a\r\r\nb", "a\nb"},
		{"progress", " 1%\r 50%\r100%\n", "100%\n"},
		{"longer before", "downloading\rdone\n", "doneloading\n"},
		{"erased", "downloading\r\x1b[Kdone\n", "done\n"},
		{"erased after", "downloading\rdone\x1b[K\n", "done\n"},
		{"erased whole", "downloading\x1b[2K\rdone\n", "done\n"},
		{"erased to the cursor", "abcdef\r\x1b[2C\x1b[1Kx", "  xdef"},
		{"written blanks stay", "abc\r   \n", "   \n"},
		{"wide before", "██████\r100%\n", "100%██\n"},
		{"wide after", "######\r██\n", "██####\n"},
		{"wide erased", "██████\r\x1b[K██\n", "██\n"},
	},
	"cells": {
		{"over a wide one", "漢字x\ra", "a 字x"},
		{"over its second half", "漢字x\r\x1b[Ca", " a字x"},
		{"wide over two halves", "漢字x\r\x1b[C語", " 語 x"},
		{"wide over the last", "ab\r\x1b[C語", "a語"},
		{"emoji", "👍👍\rok", "ok👍"},
		{"combining counts nothing", "e\u0301e\u0301\rab", "ab"},
		{"combining after overwriting", "é.\re\u0301", "e\u0301."},
		{"combining on nothing", "ab漢\r\u0301x", "\u0301xb漢"},
		{"combining on a blank", "漢\x1b[2C\u0301\ra", "a   \u0301"},
	},
	"backspace": {
		{"overwrites", "abc\b\bX", "aXc"},
		{"alone", "abc\b", "abc"},
		{"at the start", "\b\ba", "a"},
		{"man page", "N\bNA\bAM\bM _\bx", "NAM x"},
		{"spinner", "|\b/\b-\b\\\b \b\n", " \n"},
		{"wide", "é✓\b\bab", "ab"},
	},
	"tab": {
		{"kept behind a sequence", "\x1b[m\ta\tb\n", "\ta\tb\n"},
		{"kept at the end", "\x1b[ma\t\n", "a\t\n"},
		{"moves over text", "abcdefghij\r\tX", "abcdefghXj"},
		{"moves beyond", "abc\r\tX", "abc     X"},
		{"overwritten before", "a\tb\rX", "X\tb"},
		{"overwritten inside", "a\tb\r\x1b[3CX", "a  X    b"},
		{"back to inside", "a\tb\x1b[4DX", "a    X  b"},
		{"kept with cells", "漢\ra\tb", "a       b"},
		{"past cells", "漢\rab\x1b[10C\tc\td", "ab          \tc\td"},
		{"forward and back", "\x1b[2Ix\x1b[Zy", "                y"},
	},
	"columns": {
		{"forward", "a\x1b[3Cb", "a   b"},
		{"not written at the end", "a\x1b[3C\n", "a\n"},
		{"back", "abc\x1b[2DX", "aXc"},
		{"absolute", "abc\x1b[2GX\x1b[5`Y", "aXc Y"},
		{"relative HPR", "a\x1b[2aX", "a  X"},
		{"right margin", "\x1b[999C\x1b[3D[ok]", strings.Repeat(" ", 76) + "[ok]"},
		{"erase characters", "abcdef\r\x1b[C\x1b[2X", "a  def"},
		{"erase characters at the end", "abc\r\x1b[C\x1b[9X\n", "a\n"},
		{"erase wide characters", "漢字x\r\x1b[C\x1b[X\n", "  字x\n"},
		{"insert", "abc\r\x1b[2@X", "X abc"},
		{"delete", "abcdef\r\x1b[2P", "cdef"},
		{"delete half a wide one", "漢字\r\x1b[P", " 字"},
		{"delete with marks", "abe\u0301\r\x1b[P", "be\u0301"},
		{"repeat", "-\x1b[4b>", "----->"},
		{"repeat nothing", "\x1b[4bx", "x"},
	},
	"lines": {
		{"form feed", "a\fb\vc", "a\nb\nc"},
		{"up and overwrite", "one\ntwo\n\x1b[2A1\n2\n", "1ne\n2wo\n"},
		{"previous line", "one\ntwo\x1b[F\x1b[Kx\x1b[E\x1b[Ky", "x\ny"},
		{"several bars", "a 0\nb 0\n\x1b[2A\x1b[2Ka 1\n\x1b[2Kb 1\n\x1b[2A\x1b[2Ka 2\n\x1b[2Kb 2\n", "a 2\nb 2\n"},
		{"erase below", "a\nb\nc\n\x1b[3A\x1b[Jx\n", "x\n"},
		{"erase above", "a\nb\nc\x1b[1J", "\n\n"},
		{"erase all", "a\nb\n\x1b[H\x1b[2J\x1b[3Jc\n", "c\n"},
		{"erase all, in place", "a\nb\n\x1b[2Jc\n", "\n\nc\n"},
		{"reset", "a\nb\n\x1bcc\n", "c\n"},
		{"down", "a\x1b[2Bb", "a\n\n b"},
		{"down alone", "a\x1b[2B", "a"},
		{"index keeps the column", "ab\x1bDc\x1bEd", "ab\n  c\nd"},
		{"reverse index", "a\nb\x1bMc", "ac\nb"},
		{"reverse index at the top", "a\nb\x1b[H\x1bMc", "c\na\nb"},
		{"position", "\x1b[2;3Hx\x1b[1;1fy\x1b[3dz", "y\n  x\n z"},
		{"save, restore", "a\x1b7bc\nd\x1b8X\x1b[s\x1b[9C\x1b[uY", "aXY\nd"},
		{"insert lines", "a\nb\nc\x1b[2A\x1b[Lx", "x\na\nb\nc"},
		{"delete lines", "a\nb\nc\x1b[2A\x1b[M", "b\nc"},
		{"scroll up", "a\nb\x1b[Sc", "a\nb\n c"},
		{"scroll down", "a\nb\x1b[Tc", "\nac\nb"},
		{"clear and draw again", strings.Repeat("\x1b[H\x1b[2J\x1b[3Jstate\nrest\n", 50), "state\nrest\n"},
	},
	"region": {
		{"status line", "a\n\x1b7\x1b[1;3r\x1b8\x1b7\x1b[4;1Hstatus\x1b8b\nc\nd\ne\n", "a\nb\nc\nd\ne\n\nstatus"},
		{"status line removed", "a\n\x1b7\x1b[1;3r\x1b8\x1b7\x1b[4;1Hstatus\x1b8b\nc\nd\x1b7\x1b[r\x1b8\n\x1b[Je\n", "a\nb\nc\nd\ne\n"},
		{"higher than supposed", "a\n\x1b7\x1b[1;29r\x1b8\x1b7\x1b[30;1Hstatus\x1b8" + strings.Repeat("b\n", 40) + "\x1b[r\x1b[29;1H\x1b[J", "a\n" + strings.Repeat("b\n", 40)},
		{"below the first", "a\nb\nc\nd\x1b[2;3r\x1b[3;1H\nX\n", "a\nX\n\nd"},
	},
	"alternate screen": {
		{"left", "a\n\x1b[?1049h\x1b[H\x1b[2Jvi\n~\n~\x1b[?1049lb\n", "a\nb\n"},
		{"old style", "a\n\x1b7\x1b[?47hxyz\x1b[2J\x1b[?47l\x1b8b\n", "a\nb\n"},
		{"the cursor comes back", "abc\b\x1b[?1049hx\ny\n\x1b[?1049lX", "abX"},
		{"still there", "a\x1b[?1049h\x1b[Htop", "a\ntop"},
		{"two modes at once", "a\x1b[?1;1049hx\x1b[?1049;1lb", "ab"},
		{"left twice", "a\x1b[?1049l\x1b[?1049lb", "ab"},
		{"reset", "\x1b[?1049hx\x1bcb", "b"},
	},
}

func TestString(t *testing.T) {
	for group, table := range tables {
		for _, tt := range table {
			t.Run(group+"/"+tt.name, func(t *testing.T) {
				assert.Equal(t, tt.want, String(tt.in), "String(%q)", tt.in)
				assert.Equal(t, tt.want, Bytes([]byte(tt.in)), "Bytes(%q)", tt.in)
				for n := 1; n <= 3; n++ {
					assert.Equal(t, tt.want, inPieces(tt.in, n), "%q in pieces of %d", tt.in, n)
				}
			})
		}
	}
}

// inPieces feeds a Renderer n bytes at a time, and looks at it in between.
func inPieces(s string, n int) string {
	var r Renderer
	var b strings.Builder
	for len(s) > 0 {
		p := s[:min(n, len(s))]
		s = s[len(p):]
		r.Write([]byte(p))
		r.Rest()
		b.WriteString(r.Lines())
	}
	return b.String() + r.Rest()
}

func TestPlainTextIsNotCopied(t *testing.T) {
	s := strings.Repeat("plain text, naïve ✓\n\tand more\n", 100)
	assert.Zero(t, testing.AllocsPerRun(10, func() { String(s) }), "String allocates")
	b := []byte(s)
	assert.LessOrEqual(t, testing.AllocsPerRun(10, func() { Bytes(b) }), 1.0, "Bytes allocates")
}

func TestOnePassLeavesNothingToDo(t *testing.T) {
	for _, table := range tables {
		for _, tt := range table {
			assert.True(t, clean(tt.want), "%s: controls in %q", tt.name, tt.want)
		}
	}
}

// clean reports whether s is valid UTF-8 without controls but newline and tab.
func clean(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, func(c rune) bool {
		return c < ' ' && c != '\n' && c != '\t' || c >= 0x7f && c < 0xa0
	}) < 0
}

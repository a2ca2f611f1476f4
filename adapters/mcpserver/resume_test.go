package mcpserver

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/escape"
	"github.com/procession-go/procession/plaintext"
)

// TestSequenceAgrees: a control sequence is incomplete if, and only if, it takes
// the next letter for a part of itself.
func TestSequenceAgrees(t *testing.T) {
	pieces := []string{"\x1b", "[", "]", "P", "X", "k", "(", "3", "!", "m", "\a", "\x18", "é", "\u009b", "\xff", "\n"}
	var try func(text string, left int)
	try = func(text string, left int) {
		var q sequence
		q.scan([]byte(text), 0)
		end := int64(len(text))
		shown := strings.Contains(plaintext.String(text+"Z"), "Z")
		assert.Equal(t, shown, q.open(end) == end, "%q: whether the next letter is shown; a sequence is open from %d on", text, q.open(end))
		if left > 0 {
			for _, piece := range pieces {
				try(text+piece, left-1)
			}
		}
	}
	try("", 4)
}

// TestSequenceInPieces: where a sequence begins does not depend on how its bytes
// come.
func TestSequenceInPieces(t *testing.T) {
	const text = "a\x1b[31mb\x1b]0;a title"
	for i := range text {
		var q sequence
		q.scan([]byte(text[:i]), 0)
		q.scan([]byte(text[i:]), int64(i))
		assert.EqualValues(t, 7, q.open(int64(len(text))), "split at %d", i)
	}
	var q sequence
	q.scan([]byte("\x1b["+strings.Repeat("1", longestSequence)), 0)
	const end = 2 + longestSequence
	assert.EqualValues(t, end, q.open(end), "a sequence without an end is not waited for, for ever")
}

// TestSequenceAgreesOnWhatIsText: a control string that loses its terminator is text
// at the same byte, wherever it is cut.
func TestSequenceAgreesOnWhatIsText(t *testing.T) {
	for _, begin := range []string{"\x1b]", "\x1bP", "\x1bP1;2q", "\x1bP\x1b", "\x1bP\x1b]", "\x1bk", "\x1bX", "\x1b^", "\x1b_", "\x1b]\u009b3", "\x1b]0;1\n\x1b]"} {
		for _, fill := range []string{"x", "漢", "é\u009b"} {
			text := begin
			for len(text) < escape.Longest-10 {
				text += fill
			}
			for range 30 {
				text += fill
				end := int64(len(text))
				shown := strings.Contains(plaintext.String(text+"Z"), "Z")
				for _, at := range []int{len(begin), 100, len(text) / 2, len(text)} {
					for at < len(text) && !utf8.RuneStart(text[at]) {
						at++
					}
					var q sequence
					q.scan([]byte(text[:at]), 0)
					q.scan([]byte(text[at:]), int64(at))
					full := q.open(end) == end-1-escape.Longest // the letter makes it text
					if !full {
						require.Equal(t, shown, q.open(end) == end, "%q and %q, %d bytes, cut at %d: whether the next letter is shown; open from %d on", begin, fill, end, at, q.open(end))
					}
				}
			}
		}
	}
}

// pieces are segments: of standard error those that begin with "!".
func pieces(offset int64, texts ...string) (segments []procession.Segment, next int64) {
	for _, text := range texts {
		s := procession.Segment{Offset: offset}
		if text[0] == '!' {
			s.Stream, text = procession.Stderr, text[1:]
		}
		s.Data = []byte(text)
		segments = append(segments, s)
		offset += int64(len(text))
	}
	return segments, offset
}

func TestResume(t *testing.T) {
	for _, test := range []struct {
		pattern string
		texts   []string
		want    int64 // from 100 on
	}{
		{"", []string{}, 100},
		{"", []string{"one\ntwo"}, 107},
		{"", []string{"one\x1b[3"}, 103},
		{"", []string{"one\x1b[3", "!err"}, 109}, // returned, and must not be again
		{"", []string{"one\x1b[3", "!\x1b["}, 103},
		{"", []string{"one\x1b]0;ti", "!tle"}, 112},
		{"", []string{"one\x1b[3", "!err", "1m"}, 111},
		{"", []string{"one", "!\x1b", "two"}, 107},
		{"", []string{"one", "!\x1b"}, 103},
		{"ready", []string{"one\n"}, 104},
		{"ready", []string{"one\nserver rea"}, 104},
		{"ready", []string{"one\nserver ", "rea"}, 104},
		{"ready", []string{"server rea"}, 100},
		{"ready", []string{"one\nready on"}, 112},
		{"ready", []string{"one\n10%\r20%\r30%"}, 104},
		{"ready", []string{"one\nrea\x1b["}, 104},
		{"ready", []string{"one\nready\x1b["}, 109},
		{"ready", []string{"server rea", "!warning\n"}, 100},
		{"ready", []string{"server rea", "!warning\n", "dy\n"}, 121},
		{"ready", []string{"!warning", "server rea"}, 100},
		{"war", []string{"server rea", "!warning\n"}, 118}, // returned, and must not be again
		{"one", []string{"one\n", "!two\n", "three"}, 108},
		{"^err", []string{"one\nsome", "!err"}, 111}, // a line of standard error alone
	} {
		segments, next := pieces(100, test.texts...)
		f, err := filterOf(test.pattern, 0)
		require.NoError(t, err)
		assert.Equal(t, test.want, resume(segments, next, f, 1000, viewOf(segments, f, 1000)), "%q, %q", test.pattern, test.texts)
	}
}

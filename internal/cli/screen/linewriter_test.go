package screen

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestLineWriter(t *testing.T) {
	for _, test := range []struct {
		name   string
		writes []string
		want   string
	}{
		{"nothing", nil, ""},
		{"empty writes", []string{"", ""}, ""},
		{"one line", []string{"a\n"}, "> a\n"},
		{"two lines in one piece", []string{"a\nb\n"}, "> a\n> b\n"},
		{"a line in pieces", []string{"a", "b", "\n"}, "> ab\n"},
		{"empty lines", []string{"\n\n"}, "> \n> \n"},
		{"a last line without end", []string{"a\nb"}, "> a\n> b\n"},
		{"ends of lines are kept", []string{"a\r\n"}, "> a\r\n"},
		{"bytes that are no text", []string{"\xff\x00\n"}, "> \xff\x00\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got bytes.Buffer
			w := &LineWriter{mu: new(sync.Mutex), to: &got, prefix: "> "}
			for _, text := range test.writes {
				n, err := w.Write([]byte(text))
				require.NoError(t, err)
				require.Equal(t, len(text), n)
			}
			require.NoError(t, w.Close())
			assert.Equal(t, test.want, got.String())
		})
	}
}

func TestLineWriterBoundsALine(t *testing.T) {
	var got bytes.Buffer
	w := &LineWriter{mu: new(sync.Mutex), to: &got, prefix: "> "}
	text := "a" + strings.Repeat("é", 3*maxLine)
	for rest := []byte(text); len(rest) > 0; {
		n := min(len(rest), 1000)
		w.Write(rest[:n])
		rest = rest[n:]
		require.LessOrEqual(t, len(w.begun), maxLine, "bytes of a line that are kept")
	}
	w.Close()
	var joined strings.Builder
	for line := range strings.Lines(got.String()) {
		piece := strings.TrimSuffix(strings.TrimPrefix(line, "> "), "\n")
		assert.True(t, utf8.ValidString(piece), "a line was cut inside a character")
		joined.WriteString(piece)
	}
	assert.True(t, joined.String() == text, "%d bytes came out of %d, or different ones", joined.Len(), len(text))
}

// Whatever the pieces, the lines come out whole and complete.
func TestLinesOfSeveralAreNeverMixed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var got bytes.Buffer
		var mu sync.Mutex
		names := []string{"a", "b", "c"}
		writers, written := map[string]*LineWriter{}, map[string]string{}
		for _, name := range names {
			writers[name] = &LineWriter{mu: &mu, to: &got, prefix: name + "|"}
		}
		for range rapid.IntRange(0, 30).Draw(t, "writes") {
			name := rapid.SampledFrom(names).Draw(t, "name")
			text := rapid.StringMatching(`[xyz\n]{0,12}`).Draw(t, "text")
			writers[name].Write([]byte(text))
			written[name] += text
		}
		for _, w := range writers {
			w.Close()
		}
		read := map[string]string{}
		for line := range strings.Lines(got.String()) {
			name, text, _ := strings.Cut(line, "|")
			read[name] += text
		}
		for _, name := range names {
			want := written[name]
			if want != "" && !strings.HasSuffix(want, "\n") {
				want += "\n"
			}
			require.Equal(t, want, read[name], name)
		}
	})
}

func TestACarriageReturnBeginsALineAnew(t *testing.T) {
	for text, want := range map[string]string{
		"10%\r100% done\n": "> 100% done\n", "a\r\n": "> a\r\n", "a\r\r\n": "> a\r\r\n", "a\rb\r\n": "> b\r\n", "a\rb": "> b\n", "\ra": "> a\n",
	} {
		for _, size := range []int{1, 4, len(text)} {
			var got bytes.Buffer
			w := &LineWriter{mu: new(sync.Mutex), to: &got, prefix: "> "}
			for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
				w.Write([]byte(rest[:min(size, len(rest))]))
			}
			w.Close()
			assert.Equal(t, want, got.String(), "%q in pieces of %d", text, size)
		}
	}
	var got bytes.Buffer
	w := &LineWriter{mu: new(sync.Mutex), to: &got}
	w.Write([]byte("a\rb\n"))
	assert.Equal(t, "a\rb\n", got.String(), "without a prefix")
}

package plaintext

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var _ io.Writer = (*Renderer)(nil)

func TestZeroRenderer(t *testing.T) {
	var r Renderer
	assert.Empty(t, r.Lines())
	assert.Empty(t, r.Rest())
	n, err := r.Write(nil)
	assert.NoError(t, err)
	assert.Zero(t, n)
	n, err = r.Write([]byte("\x1b[mabc"))
	assert.NoError(t, err)
	assert.Equal(t, 6, n)
}

func TestLinesOnceFinished(t *testing.T) {
	r := Renderer{Rows: 2}
	for _, step := range []struct{ in, lines, rest string }{
		{"a", "", "a"},
		{"b\n", "", "ab\n"},
		{"c\n", "ab\n", "c\n"},
		{"\x1b[5Ax", "", "x\n"},
		{"\nd\ne", "x\n", "d\ne"},
		{"\n\xe2\x9c", "d\n", "e\n\ufffd\ufffd"},
		{"\x93\x1b[3", "", "e\n✓"},
		{"1m.", "", "e\n✓."},
		{"\x1b[?1049hvi", "", "e\n✓.\nvi"},
		{"\n\n\n\n\x1b[?1049l", "", "e\n✓."},
	} {
		r.Write([]byte(step.in))
		require.Equal(t, step.lines, r.Lines(), "lines after %q", step.in)
		require.Equal(t, step.rest, r.Rest(), "rest after %q", step.in)
	}
}

func TestWithOneRowEveryLineIsFinished(t *testing.T) {
	r := Renderer{Rows: 1}
	r.Write([]byte("one\r\ntwo\x1b[F\x1b[H\x1b[AX\nthree"))
	assert.Equal(t, "one\nXwo\n", r.Lines())
	assert.Equal(t, "three", r.Rest())
}

func TestRowsBoundHowFarUp(t *testing.T) {
	text := "1\n2\n3\n4\n5"
	for _, tt := range []struct {
		rows int
		in   string
		want string
	}{
		{3, "\x1b[HX", "1\n2\nX\n4\n5"},
		{3, "\x1b[9A\rX", "1\n2\nX\n4\n5"},
		{3, "\x1b[2JX", "1\n2\n\n\n X"},
		{0, "\x1b[HX", "X\n2\n3\n4\n5"},
	} {
		r := Renderer{Rows: tt.rows}
		r.Write([]byte(text + tt.in))
		assert.Equal(t, tt.want, r.Lines()+r.Rest(), "%d rows, %q", tt.rows, tt.in)
	}
}

// Of an unknown height: the top of the screen is 24 lines up, unless the program
// shows that it knows of more.
func TestUnknownHeight(t *testing.T) {
	var b strings.Builder
	for i := range 60 {
		fmt.Fprintf(&b, "%d\n", i)
	}
	for _, tt := range []struct {
		name, in string
		line     int // where the X goes
	}{
		{"home", "\x1b[H", 37},
		{"all the way up", "\x1b[999A", 37},
		{"up by 50", "\x1b[50A", 10},
		{"a row beyond", "\x1b[40;1H\x1b[H", 21},
	} {
		lines := strings.Split(String(b.String()+tt.in+"X"), "\n")
		assert.True(t, strings.HasPrefix(lines[tt.line], "X"), "%s: line %d is %q of\n%q", tt.name, tt.line, lines[tt.line], lines)
	}
}

func TestRedrawsCostWhatOneCosts(t *testing.T) {
	for _, line := range []string{
		"\r[########            ] 40% of 100 MB, 3.2 MB/s, 12 s",
		"\r[████████            ] 40% of 100 MB, 3.2 MB/s, 12 s",
		"\r\x1b[K\x1b[32m━━━━━━━━━\x1b[0m 40%",
		"\b\b\b\b\b\b100 %",
		"e\u0301\b",
	} {
		var r Renderer
		piece := []byte(strings.Repeat(line, 1000))
		r.Write(piece)
		before := heap()
		for range 20 {
			r.Write(piece)
		}
		assert.LessOrEqual(t, heap(), before+32<<10, "20,000 redraws of %q hold memory", line)
		assert.LessOrEqual(t, len(r.Lines()+r.Rest()), 200, "bytes of the line, of %q", line)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

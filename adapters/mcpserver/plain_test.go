package mcpserver

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/procession-go/procession"
)

func TestIsPlain(t *testing.T) {
	for text, want := range map[string]bool{
		"":                         true,
		"one\n\ttwo":               true,
		"naïve 漢字 👩\u200d💻❤\ufe0f": true,
		"\u00a0\ufffd\u0301":       true,
		"\x1b[31mred":              false,
		"10%\r20%":                 false,
		"line\r\n":                 false,
		"a\bb":                     false,
		"\x00":                     false,
		"\x7f":                     false,
		"\u009b3m":                 false,
		"\xff":                     false,
		"\xe2\x9c":                 false,
		"rm \u202e/tmp":            false,
		"tag\U000e0041":            false,
	} {
		assert.Equal(t, want, isPlain([]byte(text)), "%q", text)
	}
}

// TestPlainViewIsTheView: the last bytes are what all of it would be, rendered.
func TestPlainViewIsTheView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"a", "line\n", "!err\n", "!e", "é", "!漢", "日本\n", "\n\n", "👩\u200d💻", "\u0301", "\ufffd", "\t", "!\t\n",
			strings.Repeat("x\n", 150), "!" + strings.Repeat("long ", 30_000)})
		segments, _ := pieces(0, rapid.SliceOfN(piece, 0, 30).Draw(t, "texts")...)
		limit := rapid.SampledFrom([]int{1, 2, 3, 10, 100, 1000, 100_000, math.MaxInt}).Draw(t, "limit")
		assert.Equal(t, viewOf(segments, filter{}, limit), plainViewOf(segments, limit))
	})
}

// TestPlainsOfOutputThatGoesOn: against looking at all of it each time, while the log gets more
// and drops the oldest.
func TestPlainsOfOutputThatGoesOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"plain\n", "!plain", "漢", "x", "x", "x", "\x1b[31m", "!\r"})
		var known plains
		var segments []procession.Segment
		end := int64(0)
		for range rapid.IntRange(1, 30).Draw(t, "reads") {
			more, next := pieces(end, rapid.SliceOfN(piece, 0, 3).Draw(t, "more")...)
			segments, end = append(segments, more...), next
			segments = segments[min(len(segments), rapid.IntRange(0, 4).Draw(t, "dropped")):]
			want := true
			for _, s := range segments {
				want = want && isPlain(s.Data)
			}
			require.Equal(t, want, known.all("process", segments), "%q", segments)
		}
	})
}

// TestASmallAnswerReadsLittle: of plain output that was looked at before, nothing is read but
// what is new and what is returned.
func TestASmallAnswerReadsLittle(t *testing.T) {
	const limit = 1000
	chunk := chunkOf("a line of a log\n", 1_000_000)
	var known plains
	require.True(t, known.all("process", chunk.Segments))
	want := viewOf(chunk.Segments, filter{}, limit)
	require.Positive(t, want.output.cut)

	for i := range chunk.Segments { // what is read of this is wrong
		s := &chunk.Segments[i]
		n := max(0, min(len(s.Data), int(chunk.Next-s.Offset)-limit-1))
		s.Data = append(bytes.Repeat([]byte{0x1b}, n), s.Data[n:]...)
	}
	require.True(t, known.all("process", chunk.Segments))
	got, next := query{limit: limit, plain: true}.view(chunk, MaxTextLimit)
	assert.Equal(t, want, got)
	assert.Equal(t, following{cursor: chunk.Next}, next)

	last := chunk.Segments[len(chunk.Segments)-1]
	more := append(chunk.Segments, procession.Segment{Offset: segmentEnd(last), Data: []byte("\x1b[31m")})
	assert.False(t, known.all("process", more), "what is new is looked at")
	assert.False(t, known.all("another", chunk.Segments))
}

// TestSmallAnswersOfOneThatRuns: they are right, also when its output is no longer plain.
func TestSmallAnswersOfOneThatRuns(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start(`seq 1000; read a; printf '\033[31mred\033[0m\n'; read a`, arguments{"stdin": true}) // 3,893 bytes, and 13
	c.await(id, "1000")
	for range 3 {
		_, r := c.do("get_process_output", arguments{"process_id": id, "max_bytes": 10})
		expect(t, r, arguments{"output": "999\n1000\n", "stdout": "999\n1000\n", "stderr": "", "truncated": true, "dropped": 3884, "next_cursor": 3893})
	}
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	c.await(id, "red")
	_, r := c.do("get_process_output", arguments{"process_id": id, "max_bytes": 10})
	expect(t, r, arguments{"output": "1000\nred\n", "truncated": true, "dropped": 3888, "next_cursor": 3906})
}

func TestMayBePlain(t *testing.T) {
	assert.True(t, query{limit: DefaultTextLimit}.mayBePlain())
	assert.False(t, query{limit: MaxTextLimit}.mayBePlain(), "a large answer")
	assert.False(t, query{limit: 1000, forward: true}.mayBePlain(), "a page")
	assert.False(t, query{limit: 1000, filter: filter{re: regexp.MustCompile("x")}}.mayBePlain(), "lines that match")
}

func TestPlainsAreBounded(t *testing.T) {
	var known plains
	for i := range mostPlains + 10 {
		segments, _ := pieces(0, "x")
		require.True(t, known.all(fmt.Sprint(i), segments))
	}
	assert.Len(t, known.runs, mostPlains)
}

// chunkOf is a chunk of n bytes, in pieces as the log has them.
func chunkOf(text string, n int) (chunk procession.Chunk) {
	data := bytes.Repeat([]byte(text), n/len(text)+1)[:n]
	for piece := range slices.Chunk(data, 28<<10) {
		chunk.Segments = append(chunk.Segments, procession.Segment{Offset: chunk.Next, Data: piece})
		chunk.Next += int64(len(piece))
	}
	return chunk
}

// BenchmarkSmallAnswer is what an answer of 1,000 bytes takes, whatever is retained.
func BenchmarkSmallAnswer(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000, 16_000_000} {
		for _, plain := range []bool{false, true} {
			b.Run(fmt.Sprintf("retained=%d/plain=%v", n, plain), func(b *testing.B) {
				chunk := chunkOf("a line of a log\n", n)
				var known plains
				for b.Loop() {
					q := query{limit: 1000, plain: plain && known.all("process", chunk.Segments)}
					q.view(chunk, MaxTextLimit)
				}
			})
		}
	}
}

package mcpserver

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/procession-go/procession"
)

// found feeds a finder with one chunk, and asks it about all that has not ended.
func found(pattern string, chunk procession.Chunk) *lineFinder {
	f := &lineFinder{re: regexp.MustCompile(pattern)}
	if now := time.Now(); !f.feed(chunk, now) {
		f.settled(now, true)
	}
	return f
}

func TestFind(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern string
		texts   []string
		line    string
		end     int64 // of the line from 100 on, or where to go on if there is none
	}{
		{"x", []string{"x1\nx2\n"}, "x1", 103},
		{"x2", []string{"x1\nx2\n"}, "x2", 106},
		{"x", []string{"a\nx", "1\nx2\n"}, "x1", 105},
		{"x", []string{"a\r\nx1\r\nx2\r\n"}, "x1", 107},
		{"^ready$", []string{"\x1b[32mready\x1b[0m\nand"}, "ready", 115},
		{"100", []string{" 10%\r100%\nx"}, "100%", 110},
		{"", []string{"\n\n"}, "", 101},
		{"^b$", []string{"a\vb\fb\n"}, "b", 104},
		{"> $", []string{"hello\n> "}, "> ", 108},
		{"> $", []string{"> \x1b["}, "> ", 102},
		{"^> $", []string{"> ", "!log\nlo"}, "> ", 102},                                 // in standard output alone
		{"^> log$", []string{"> ", "!log\n"}, "> log", 106},                             // in both
		{"^ready", []string{"!warn: ", "ready\n"}, "ready", 112},                        // in standard output alone
		{"^failed", []string{"work", "!failed\n", "ing\n"}, "failed", 111},              // in standard error alone
		{"^two 50%", []string{"one\ntwo  0%\nmore\n\x1b[2A\x1b[4C50%"}, "two 50%", 128}, // drawn anew
		{"é", []string{"é\n"}, "é", 103},
		{"\uFFFD", []string{"\xff\n"}, "\uFFFD", 102},
		{"z", []string{"one\ntwo\n"}, "", 108},
		{"z", []string{"one\ntw"}, "", 104},
		{"z", []string{"one\n 10%\r 20%"}, "", 104},
		{"z", []string{"one", "!two\n"}, "", 100},
		{"z", []string{"one\n", "!two\nth", "four\n"}, "", 108},
		{"z", []string{"one\n\x1b[3"}, "", 104},
		{"z", []string{"one\n", "!\x1b]0;title", "two\n"}, "", 104},
		{"z", nil, "", 100},
	} {
		segments, next := pieces(100, test.texts...)
		f := found(test.pattern, procession.Chunk{Segments: segments, Next: next})
		name := fmt.Sprintf("%q in %q", test.pattern, test.texts)
		if !f.found {
			f.end = f.resume()
		}
		assert.Equal(t, test.line, f.line, name)
		assert.Equal(t, test.end, f.end, name)
	}
}

// The rest of a line that was dropped in part is no line, and one that has not ended is known
// again by the cursor to go on from.
func TestFindAfterALoss(t *testing.T) {
	t.Parallel()
	lost := func(torn []procession.Stream, texts ...string) procession.Chunk {
		segments, next := pieces(100, texts...)
		return procession.Chunk{Segments: segments, Next: next, Dropped: 50, Fragments: torn}
	}
	out := []procession.Stream{procession.Stdout}
	f := found("x", lost(out, "x0\nx1\n"))
	assert.Equal(t, "x1", f.line)
	assert.EqualValues(t, 106, f.end)
	f = found("x", lost(nil, "x0\nx1\n"))
	assert.Equal(t, "x0", f.line)
	f = found("x", lost(out, "x0", "!x1\n"))
	assert.Equal(t, "x1", f.line)
	f = found("x", lost(out, "x0", "!e1\n"))
	assert.False(t, f.found)
	assert.EqualValues(t, 99, f.resume())
	f = found("x", procession.Chunk{Next: 100, Dropped: 50, Fragments: out})
	assert.EqualValues(t, 99, f.resume())

	f = &lineFinder{re: regexp.MustCompile("x1")}
	segments, next := pieces(10, "x")
	f.feed(procession.Chunk{Segments: segments, Next: next}, time.Now())
	assert.False(t, f.feed(lost(nil, "1\n"), time.Now()), "what was dropped is between them")
}

// What has not ended counts when nothing more has come of its view, whatever comes of others.
func TestFindWaitsForAPrompt(t *testing.T) {
	t.Parallel()
	f := &lineFinder{re: regexp.MustCompile("> $")}
	begin := time.Now()
	at := int64(0)
	feed := func(now time.Time, text string) {
		segments, next := pieces(at, text)
		require.False(t, f.feed(procession.Chunk{Segments: segments, Next: next}, now))
		at = next
	}
	assert.Equal(t, time.Hour, f.patience(begin, time.Hour))
	feed(begin, "> ")
	assert.Equal(t, settle, f.patience(begin, time.Hour))
	assert.Equal(t, time.Millisecond, f.patience(begin, time.Millisecond))
	assert.False(t, f.settled(begin.Add(settle-1), false))
	later := begin.Add(settle - 1)
	feed(later, "!log line\n")
	assert.EqualValues(t, 1, f.patience(later, time.Hour))
	assert.True(t, f.settled(begin.Add(settle), false))
	assert.EqualValues(t, 2, f.end)

	f, at = &lineFinder{re: regexp.MustCompile("z")}, 0
	feed(begin, "> ")
	assert.False(t, f.settled(begin.Add(settle), false))
	assert.Equal(t, time.Hour, f.patience(begin.Add(settle), time.Hour), "it was looked at")
}

// A line without an end is not held for ever.
func TestFindForgetsALineWithoutAnEnd(t *testing.T) {
	t.Parallel()
	f := &lineFinder{re: regexp.MustCompile("z")}
	for i := range 100 {
		segments, next := pieces(int64(i)*100_000, strings.Repeat("x", 100_000))
		f.feed(procession.Chunk{Segments: segments, Next: next}, time.Now())
		require.Less(t, len(f.views[0].ending.Rest()), 3*mostDrawn)
	}
	assert.Zero(t, f.resume())
}

// However output comes, each line that matches is found once, in its order, by going on after
// the one before.
func TestFindEachLineOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.StringMatching(`[abx]{0,3}`), 0, 20).Draw(t, "lines")
		whole := ""
		var want []string
		for _, line := range lines {
			whole += line + "\n"
			if strings.Contains(line, "x") {
				want = append(want, line)
			}
		}
		var got []string
		cursor := 0
		for {
			f := &lineFinder{re: regexp.MustCompile("x")}
			for at := cursor; at < len(whole) && !f.found; {
				n := rapid.IntRange(1, len(whole)-at).Draw(t, "n")
				chunk := procession.Chunk{Segments: []procession.Segment{{Offset: int64(at), Data: []byte(whole[at : at+n])}}, Next: int64(at + n)}
				f.feed(chunk, time.Now())
				at += n
				if !f.found && rapid.Bool().Draw(t, "goes on where it is told") {
					at = int(f.resume())
					f = &lineFinder{re: f.re}
					if n == 1 && at < len(whole) { // so that it comes to an end
						f.feed(procession.Chunk{Segments: []procession.Segment{{Offset: int64(at), Data: []byte(whole[at:])}}, Next: int64(len(whole))}, time.Now())
						break
					}
				}
			}
			if !f.found {
				break
			}
			got, cursor = append(got, f.line), int(f.end)
		}
		require.Equal(t, want, got)
	})
}

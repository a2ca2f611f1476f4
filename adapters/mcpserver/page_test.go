package mcpserver

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/procession-go/procession"
)

// pagesOf are all pages of segments.
func pagesOf(t require.TestingT, segments []procession.Segment, end int64, f filter, limit int) (pages []view) {
	for at := int64(0); at < end; {
		page, next := pageOf(from(segments, at), end, f, limit, 1<<20)
		require.Greater(t, next, at, "where a page ends")
		require.LessOrEqual(t, next, end, "where a page ends")
		pages = append(pages, page)
		at = next
	}
	return pages
}

func outputs(pages []view) (texts []string) {
	for _, p := range pages {
		texts = append(texts, p.output.text)
	}
	return texts
}

func TestPages(t *testing.T) {
	for _, test := range []struct {
		name    string
		pattern string
		context int
		limit   int
		texts   []string
		want    []string // the output of each page
	}{
		{"nothing", "", 0, 10, nil, nil},
		{"all of it", "", 0, 100, []string{"one\ntwo"}, []string{"one\ntwo"}},
		{"exactly", "", 0, 7, []string{"one\ntwo"}, []string{"one\ntwo"}},
		{"whole lines", "", 0, 6, []string{"one\ntwo\nthree\n"}, []string{"one\n", "two\n", "three\n"}},
		{"as many as fit", "", 0, 8, []string{"one\ntwo\nthree\n"}, []string{"one\ntwo\n", "three\n"}},
		{"a long line", "", 0, 4, []string{"a\nabcdefghi\nb\n"}, []string{"a\n", "abcd", "efgh", "i\nb\n"}},
		{"one byte", "", 0, 1, []string{"ab\n"}, []string{"a", "b", "\n"}},
		{"a character is not cut", "", 0, 1, []string{"é漢\n"}, []string{"é", "漢", "\n"}},
		{"nor are two", "", 0, 5, []string{"漢漢é\n"}, []string{"漢", "漢é", "\n"}},
		{"what is not UTF-8", "", 0, 3, []string{"\xffa\xe2\x9c\n"}, []string{"\ufffd", "a", "\ufffd", "\ufffd", "\n"}},
		{"colours take no room", "", 0, 4, []string{"\x1b[31mone\x1b[m\n\x1b[32mtwo\x1b[m\n"}, []string{"one\n", "two\n"}},
		{"a sequence is not cut", "", 0, 1, []string{"\x1b[31ma\x1b]0;title\ab\u009b3mc"}, []string{"a", "b", "c"}},
		{"a progress bar is one line", "", 0, 12, []string{strings.Repeat("\r 50 of 100", 50) + "\rdone\x1b[K\nmore\n"}, []string{"done\nmore\n"}},
		{"lines of two streams", "", 0, 8, []string{"one\n", "!two\n", "three\n"}, []string{"one\ntwo\n", "three\n"}},
		{"a line that is interrupted", "", 0, 12, []string{"a\nserver ", "!warn\n", "ready\n"}, []string{"a\n", "server warn\n", "ready\n"}},
		{"a title that is interrupted", "", 0, 8, []string{"one\n\x1b]0;ti", "!warn\n", "tle\atwo\n"}, []string{"one\n", "]0;tiwarn\n", "tletwo\n"}},
		{"lines that match", "x", 0, 8, []string{"x1\na\nb\nx2\nc\nx3\nd\n"}, []string{"x1\nx2\n", "x3\n"}},
		{"exactly those", "x", 0, 9, []string{"x1\na\nb\nx2\nc\nx3\nd\n"}, []string{"x1\nx2\nx3\n"}},
		{"a line is whole", "x", 0, 2, []string{"a\nx1234\nb\nx5\nc\n"}, []string{"x1234\n", "x5\n", ""}},
		{"also without an end", "x", 0, 2, []string{"a\nx1234"}, []string{"x1234"}},
		{"none match", "z", 0, 2, []string{"a\nx1234\nb\nx5"}, []string{""}},
		{"a match that two streams hold", "x", 0, 3, []string{"x1\na", "!x2\n", "b\nx3\n"}, []string{"x1\n", "ax2\n", "x3\n"}},
		{"a match that is begun before what fits", "x", 0, 4, []string{"!x ", strings.Repeat("a\n", 20), "!y\n", "x2\n"}, []string{"x a\n", "x2\n"}},
		{"context", "x", 1, 8, []string{"1\n2\nx3\n4\n5\n6\nx7\n8\n"}, []string{"2\nx3\n4\n", "6\nx7\n8\n"}},
		{"context before is left for the next page", "x", 2, 7, []string{"1\n2\nx3\n4\n5\n6\n7\nx8\n9\n"}, []string{"1\n2\nx3\n", "6\n7\nx8\n", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, err := filterOf(test.pattern, test.context)
			assert.NoError(t, err)
			f.ended = true
			segments, end := pieces(0, test.texts...)
			assert.Equal(t, test.want, outputs(pagesOf(t, segments, end, f, test.limit)))
		})
	}
}

// TestPagesAreTheWhole: of output without moves, whatever is in it, the pages one after the
// other are what all of it is at once; and no page is too large that could be smaller.
func TestPagesAreTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"a", "line\n", "!err\n", "!e", "é", "!漢", "日本\n", "\n", "👩\u200d💻", "\xff", "\xe2\x9c", "\t", "\r\n",
			"\u202e", "\x1b[31m", "!\x1b[1m", "\x1b]0;title\a", "\u009b0m", strings.Repeat("long line ", 20) + "\n", "!" + strings.Repeat("x\n", 50)})
		segments, end := pieces(0, rapid.SliceOfN(piece, 0, 40).Draw(t, "texts")...)
		limit := rapid.SampledFrom([]int{1, 2, 3, 7, 20, 100, 1000}).Draw(t, "limit")
		whole := viewOf(segments, filter{}, 1<<20)
		var got view
		for _, page := range pagesOf(t, segments, end, filter{}, limit) {
			got.output.text += page.output.text
			got.stdout.text += page.stdout.text
			got.stderr.text += page.stderr.text
			for _, s := range []shown{page.output, page.stdout, page.stderr} {
				require.Zero(t, s.cut)
				if utf8.RuneCountInString(s.text) > 1 && s.text != "<U+202E>" {
					require.LessOrEqual(t, len(s.text), limit, "%q", s.text)
				}
			}
		}
		require.Equal(t, whole, got)
	})
}

// TestPagesLoseNoMatch: pages of whole lines have each line that matches once.
func TestPagesLoseNoMatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"x\n", "a\n", "!x err\n", "!b\n", "xx 漢\n", "\x1b[31mx\x1b[m\n", "10%\r20% x\r30%\n", "10%\r20%\rx100%\n", "!x 10%\rx 20%\n", strings.Repeat("x", 50) + "\n"})
		texts := rapid.SliceOfN(line, 0, 40).Draw(t, "lines")
		segments, end := pieces(0, texts...)
		limit := rapid.SampledFrom([]int{1, 3, 10, 30, 1000}).Draw(t, "limit")
		f := filter{re: regexp.MustCompile("x"), ended: true}
		whole := viewOf(segments, f, 1<<20)
		pages := pagesOf(t, segments, end, f, limit)
		require.Equal(t, whole.output.text, strings.Join(outputs(pages), ""))
		var out, err string
		for _, page := range pages {
			out, err = out+page.stdout.text, err+page.stderr.text
			if text := page.output.text; strings.Count(text, "\n") > 1 {
				require.LessOrEqual(t, len(text), limit, "%q", text)
			}
		}
		require.Equal(t, whole.stdout.text, out)
		require.Equal(t, whole.stderr.text, err)
		// With context each match is there once, too, on a page with what is around it.
		f.context = rapid.IntRange(1, 3).Draw(t, "context")
		var matches []string
		for _, page := range pagesOf(t, segments, end, f, limit) {
			for line := range strings.Lines(page.output.text) {
				if strings.Contains(line, "x") {
					matches = append(matches, line)
				}
			}
		}
		require.Equal(t, slices.Collect(strings.Lines(whole.output.text)), matches, "with context")
	})
}

func TestUntilAndFrom(t *testing.T) {
	segments, end := pieces(10, "abc", "!de", "f")
	for at := int64(9); at <= end+1; at++ {
		text := ""
		for _, s := range until(segments, at) {
			text += string(s.Data)
		}
		assert.Equal(t, "abcdef"[:min(max(at-10, 0), 6)], text)
		for _, s := range from(segments, at) {
			assert.GreaterOrEqual(t, s.Offset, at)
			text += string(s.Data)
		}
		assert.Equal(t, "abcdef", text)
	}
	assert.Equal(t, "abc", string(segments[0].Data))
}

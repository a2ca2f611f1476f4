package mcpserver

import (
	"bytes"
	"cmp"
	"slices"
	"sort"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi/parser"

	"github.com/procession-go/procession"
)

// Forward pages: the first of the output from a cursor on that fits, and where the next
// page begins. A page ends where nothing is cut in two that is seen as one.

// pageOf returns the view of the longest beginning of segments, which end at end, of which no
// text has more than limit bytes, and where it ends. If that shows nothing, what follows
// is shown with it, whatever its length (most at the most): a line if there is a filter,
// else a character.
func pageOf(segments []procession.Segment, end int64, f filter, limit, most int) (view, int64) {
	if len(segments) == 0 {
		return view{}, end
	}
	first := segments[0].Offset
	cut := func(at int64) int64 {
		if at == end {
			return end
		}
		return pageEnd(segments, at, f.re != nil)
	}
	var page view
	next, reach := first, first // where page ends, and up to where no other may end
	tooFar := end + 1           // what ends there does not fit
	try := func(at int64) {
		c := cut(at)
		if c > next {
			v := viewOf(until(segments, c), f, limit)
			if v.cut() {
				tooFar = c
				return
			}
			page, next = v, c
		}
		reach = at
	}
	more := max(int64(limit)/16, 1)
	for step := int64(limit); reach < end && tooFar > end; step, more = more, 2*more {
		try(min(reach+step, end))
	}
	if f.re != nil && next < end && !page.matched() { // what shows nothing is looked at once
		if ends := cleanEnds(segments, next, f.context+1); len(ends) > 0 {
			return pageOf(from(segments, ends[0]), end, f, limit, most)
		}
	}
	for reach < end && tooFar-reach > 1 {
		try(reach + (tooFar-reach)/2)
	}
	switch {
	case next == end:
		return page, end
	case !page.matched():
		return viewOf(until(segments, tooFar), f, most), tooFar
	}
	return page, beforeContext(segments, next, f, limit, page)
}

// beforeContext returns as many line ends before next, if there is a filter with context, as
// there are lines there that page does not show: they may be context of what comes.
func beforeContext(segments []procession.Segment, next int64, f filter, limit int, page view) int64 {
	if f.context == 0 {
		return next
	}
	ends := cleanEnds(segments, next-1, f.context)
	if i := sort.Search(len(ends), func(i int) bool { return viewOf(until(segments, ends[i]), f, limit).same(page) }); i < len(ends) {
		return ends[i]
	}
	return next
}

// cleanEnds returns the last n clean line ends up to at.
func cleanEnds(segments []procession.Segment, at int64, n int) (ends []int64) {
	lineEnds(segments, at, func(end int64, clean bool) {
		if !clean {
			return
		}
		if len(ends) == n {
			ends = append(ends[:0], ends[1:]...)
		}
		ends = append(ends, end)
	})
	return ends
}

// pageEnd returns the last offset up to at where a page may end: behind a line of both
// streams, if there is one; else behind a line as they came; else, unless whole lines are
// wanted, behind a character that is text. It is the beginning if there is none.
func pageEnd(segments []procession.Segment, at int64, lines bool) int64 {
	first := segments[0].Offset
	line, cleanLine := first, first
	lineEnds(segments, at, func(end int64, clean bool) {
		if line = end; clean {
			cleanLine = end
		}
	})
	switch {
	case cleanLine > first:
		return cleanLine
	case line > first || lines:
		return line
	}
	return textEnd(segments, at)
}

// lineEnds calls found with the offsets, up to at, behind the lines that segments have
// together: those with which no line and no control sequence of either stream is cut
// are clean.
func lineEnds(segments []procession.Segment, at int64, found func(end int64, clean bool)) {
	var both sequence
	var streams [2]sequence
	var begun [2]bool // a line of that stream
	for _, s := range until(segments, at) {
		for data, offset := s.Data, s.Offset; len(data) > 0; {
			n := bytes.IndexByte(data, '\n') + 1
			begun[s.Stream] = n == 0
			if n == 0 {
				n = len(data)
			}
			both.scan(data[:n], offset)
			streams[s.Stream].scan(data[:n], offset)
			data, offset = data[n:], offset+int64(n)
			if !begun[s.Stream] && both.isText() {
				found(offset, !begun[0] && !begun[1] && streams[0].isText() && streams[1].isText())
			}
		}
	}
}

// textEnd returns the last offset up to at that is behind a character and in no control
// sequence, if both streams are one.
func textEnd(segments []procession.Segment, at int64) int64 {
	end := segments[0].Offset
	var both sequence
	for _, s := range segments {
		for data, offset := s.Data, s.Offset; len(data) > 0; {
			_, n := utf8.DecodeRune(data)
			if offset+int64(n) > at {
				return end
			}
			both.scan(data[:n], offset)
			data, offset = data[n:], offset+int64(n)
			if both.isText() {
				end = offset
			}
		}
	}
	return end
}

// until returns what of segments is before at.
func until(segments []procession.Segment, at int64) []procession.Segment {
	i, _ := slices.BinarySearchFunc(segments, at, func(s procession.Segment, at int64) int { return cmp.Compare(s.Offset, at) })
	begin := segments[:i:i]
	if i > 0 {
		if last := segments[i-1]; last.Offset+int64(len(last.Data)) > at {
			last.Data = last.Data[:at-last.Offset]
			begin = append(segments[:i-1:i-1], last)
		}
	}
	return begin
}

// from returns what of segments is at or behind at.
func from(segments []procession.Segment, at int64) []procession.Segment {
	i := len(until(segments, at))
	if i == 0 {
		return segments
	}
	rest := slices.Clone(segments[i-1:])
	cut := min(at-rest[0].Offset, int64(len(rest[0].Data)))
	rest[0].Offset, rest[0].Data = rest[0].Offset+cut, rest[0].Data[cut:]
	if len(rest[0].Data) == 0 {
		rest = rest[1:]
	}
	return rest
}

// isText reports whether what follows is text.
func (q *sequence) isText() bool { return q.state == parser.GroundState }

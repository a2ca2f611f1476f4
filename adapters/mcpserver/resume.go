package mcpserver

import (
	"bytes"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/ansi/parser"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/escape"
)

// Where a reader reads on. A cursor may be anywhere in the output, but two things
// must not be cut by one: a control sequence, whose second half would be read as
// text, and a line that a filter has not let through yet.

// resume returns the cursor for what comes after segments of a process that runs, of which v
// is the view: next, or as much before it as is needed. Nothing that v shows comes again.
func resume(segments []procession.Segment, next int64, f filter, limit int, v view) int64 {
	at := needed(segments, next, f.re != nil, v)
	if at < next && !viewOf(until(segments, at), f, limit).same(v) {
		at = next
	}
	return beforeContext(segments, at, f, limit, v)
}

// needed returns the beginning of what is not complete at next: a control sequence, and a
// line if v has the lines only that match a filter.
func needed(segments []procession.Segment, next int64, filtered bool, v view) int64 {
	at := min(sequenceStart(segments, procession.Stdout, next), sequenceStart(segments, procession.Stderr, next))
	if !filtered {
		return at
	}
	if v.output.open {
		at = min(at, lineStart(segments, either, next))
	}
	if !v.matched() { // so that nothing is returned twice
		if v.stdout.open {
			at = min(at, lineStart(segments, only(procession.Stdout), next))
		}
		if v.stderr.open {
			at = min(at, lineStart(segments, only(procession.Stderr), next))
		}
	}
	return at
}

// lineStart returns the offset of the line without a newline that segments end in, next
// if there is none.
func lineStart(segments []procession.Segment, keep func(procession.Stream) bool, next int64) int64 {
	start := next
	for _, s := range segments {
		if !keep(s.Stream) {
			continue
		}
		switch i := bytes.LastIndexByte(s.Data, '\n'); {
		case i == len(s.Data)-1:
			start = next
		case i >= 0:
			start = s.Offset + int64(i) + 1
		default:
			start = min(start, s.Offset)
		}
	}
	return start
}

// sequenceStart returns the offset of the control sequence of which a stream has not
// had the end, next if there is none.
func sequenceStart(segments []procession.Segment, stream procession.Stream, next int64) int64 {
	var q sequence
	for _, s := range segments {
		if s.Stream == stream {
			q.scan(s.Data, s.Offset)
		}
	}
	return q.open(next)
}

// longestSequence is how far back a reader goes for the rest of a control sequence,
// in bytes: one without an end must not keep it in place for ever.
const longestSequence = 1 + escape.Longest

// sequence follows control sequences as package plaintext does, as far as it
// takes to know where they begin and end.
type sequence struct {
	state parser.State
	start int64   // of the sequence, if state is not that of text
	held  []piece // of a control string, which may be text
	size  int     // bytes of held
}

// piece is bytes of a stream that are at offset.
type piece struct {
	offset int64
	data   []byte
}

// open returns the offset of a sequence that is not complete at end, which is end if
// there is none.
func (q *sequence) open(end int64) int64 {
	if q.state == parser.GroundState || end-q.start > longestSequence {
		return end
	}
	return q.start
}

// scan takes the next bytes of a stream, which are at offset and end with a
// character.
func (q *sequence) scan(data []byte, offset int64) {
	begin := 0 // of the control string in data
	for i := 0; i < len(data); {
		if q.state == parser.GroundState {
			esc := introducer(data[i:])
			if esc < 0 {
				return
			}
			i += esc
			q.start = offset + int64(i)
		} else if data[i] == ansi.ESC {
			q.start = offset + int64(i) // which ends the sequence before
		}
		i += q.next(data[i:])
		switch {
		case !escape.InString(q.state):
			begin, q.held, q.size = i, nil, 0
		case escape.IsText(data[i-1], q.size+i-begin):
			before := q.held
			*q = sequence{}
			for _, p := range before {
				q.scan(p.data, p.offset)
			}
			i = begin
		}
	}
	if escape.InString(q.state) {
		q.held = append(q.held, piece{offset + int64(begin), data[begin:]})
		q.size += len(data) - begin
	}
}

// next takes what p begins with and returns its length.
func (q *sequence) next(p []byte) int {
	if c := p[0]; c < utf8.RuneSelf || escape.InString(q.state) {
		q.state = escape.Next(q.state, c)
		return 1
	}
	q.state = parser.GroundState // which a character breaks off
	if r, n := utf8.DecodeRune(p); r == ansi.CSI {
		q.state = parser.CsiEntryState
		return n
	}
	return 1
}

// introducer returns the index in p of ESC or the CSI of C1, -1 if there is none.
func introducer(p []byte) int {
	esc := bytes.IndexByte(p, ansi.ESC)
	if esc >= 0 {
		p = p[:esc]
	}
	if c1 := bytes.Index(p, []byte("\u009b")); c1 >= 0 {
		return c1
	}
	return esc
}

package procession

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/procession-go/procession/internal/lines"
	"github.com/procession-go/procession/messages"
)

// WaitFor returns the first line of either stream that re matches. It begins with the
// oldest output that is retained. A line without its end counts too, once its stream
// has been silent for 20 ms: so WaitFor finds a prompt. A carriage return begins the
// line anew. A line that has lost its beginning, because the oldest output was
// dropped, does not count. No line goes on from one incarnation to the next. WaitFor
// looks at the first 64 KiB of a line only. If the process ends without such a line,
// the error matches ErrExited.
func (e *Engine) WaitFor(ctx context.Context, id string, re *regexp.Regexp) (line string, err error) {
	if re == nil {
		return "", &messages.Error{Code: messages.CodeInvalidRequest, ID: id, Message: "wait for: no regular expression"}
	}
	search := lineSearch{re: re}
	for o := (ReadOptions{Wait: -1}); ; {
		chunk, err := e.Read(ctx, id, o)
		if err != nil {
			return "", err
		}
		now := time.Now()
		switch found := search.feed(chunk, now) || search.settled(now); {
		case found, chunk.EOF && search.begun():
			return search.line, nil
		case chunk.EOF:
			return "", &messages.Error{Code: messages.CodeExited, ID: id,
				Message: fmt.Sprintf("%s: it ended (%v) without a line that matches %q", id, chunk.Exit, re)}
		}
		o.Cursor, o.Wait = chunk.Next, search.patience(now)
	}
}

// lineSettle is how long a matching line without its end must stay unchanged before
// it is returned.
const lineSettle = 20 * time.Millisecond

// lineSearch looks for a line in output that comes in chunks.
type lineSearch struct {
	re      *regexp.Regexp
	streams [2]struct {
		lines.Scanner
		settles time.Time // when a line without its end is returned as it is, zero if there is none
	}
	line string
}

// feed reports whether a line that has ended matches.
func (s *lineSearch) feed(chunk Chunk, now time.Time) bool {
	if chunk.Dropped > 0 {
		for i := range s.streams {
			s.streams[i].Reset()
		}
		for _, stream := range chunk.Fragments {
			s.streams[stream].Skip()
		}
	}
	for _, segment := range chunk.Segments {
		if slices.Contains(chunk.Marks, segment.Offset) { // a line without its end ends with its incarnation
			if s.begun() {
				return true
			}
			for i := range s.streams {
				s.streams[i].Reset()
			}
		}
		stream := &s.streams[segment.Stream]
		if !stream.Feed(segment.Data, func(line []byte) bool { return !s.match(line) }) {
			return true
		}
		stream.settles = now.Add(lineSettle)
	}
	return false
}

// begun reports whether a line that has not ended matches.
func (s *lineSearch) begun() bool { return s.look(0) || s.look(1) }

// settled reports whether a line without its end matches and has not changed for
// lineSettle.
func (s *lineSearch) settled(now time.Time) bool {
	for i := range s.streams {
		if settles := s.streams[i].settles; !settles.IsZero() && !now.Before(settles) && s.look(i) {
			return true
		}
	}
	return false
}

// look looks at the line that has begun in a stream, if it has changed since the
// last look.
func (s *lineSearch) look(stream int) bool {
	s.streams[stream].settles = time.Time{}
	rest := s.streams[stream].Rest()
	return len(rest) > 0 && s.match(rest)
}

// patience returns how long to wait before the next call of settled, negative if no
// line is to settle.
func (s *lineSearch) patience(now time.Time) time.Duration {
	wait := time.Duration(-1)
	for i := range s.streams {
		if settles := s.streams[i].settles; !settles.IsZero() {
			left := max(settles.Sub(now), 1)
			if wait < 0 || left < wait {
				wait = left
			}
		}
	}
	return wait
}

func (s *lineSearch) match(line []byte) bool {
	if !s.re.Match(line) {
		return false
	}
	s.line = string(line)
	return true
}

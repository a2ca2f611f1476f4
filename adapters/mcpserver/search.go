package mcpserver

import (
	"regexp"
	"strings"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/visible"
	"github.com/procession-go/procession/plaintext"
)

// lineSearch looks in output that comes in chunks for a line that matches re, in
// all three views, as a model would read them; for anything to read at all if re
// is nil.
type lineSearch struct {
	re      *regexp.Regexp
	torn    fragments
	views   [3]plaintext.Renderer // of both streams, and of each
	streams [2]sequence           // by stream
	seen    [2]bool               // by stream
	found   bool
}

// feed takes a chunk.
func (s *lineSearch) feed(chunk procession.Chunk) {
	if chunk.Dropped > 0 {
		*s = lineSearch{re: s.re, found: s.found}
		s.torn.of(chunk)
	}
	for _, segment := range chunk.Segments {
		if s.re == nil {
			s.found = s.found || s.legible(segment)
			continue
		}
		if segment = s.torn.after(segment); len(segment.Data) == 0 {
			continue
		}
		s.seen[segment.Stream] = true
		for _, view := range []int{0, 1 + int(segment.Stream)} {
			r := &s.views[view]
			r.Write(segment.Data)
			if done := visible.Text(r.Lines()); s.counts(view) {
				s.found = s.found || s.matches(done)
			}
		}
	}
}

// legible reports whether a segment has more than a part of a control sequence
// that is not complete: it is what resume would go back for.
func (s *lineSearch) legible(segment procession.Segment) bool {
	q := &s.streams[segment.Stream]
	q.scan(segment.Data, segment.Offset)
	end := segment.Offset + int64(len(segment.Data))
	return q.open(end) == end || q.start > segment.Offset
}

// take reports whether something was found since it was asked last. Lines that
// can still change count as they are.
func (s *lineSearch) take() bool {
	found := s.found
	s.found = false
	if s.re == nil {
		return found
	}
	for i := range s.views {
		rest := visible.Text(s.views[i].Rest())
		found = found || s.counts(i) && s.matches(rest)
		if len(rest) > longestRest {
			s.views[i] = plaintext.Renderer{}
		}
	}
	return found
}

// longestRest is how much of a line that does not end is kept, in bytes. The
// search starts anew in its middle then.
const longestRest = 1 << 20

// counts reports whether a view is another than those before it.
func (s *lineSearch) counts(view int) bool { return view == 0 || s.seen[0] && s.seen[1] }

func (s *lineSearch) matches(text string) bool {
	for line := range strings.Lines(text) {
		if s.re.MatchString(strings.TrimSuffix(line, "\n")) {
			return true
		}
	}
	return false
}

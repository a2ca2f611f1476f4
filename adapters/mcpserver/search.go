package mcpserver

import (
	"regexp"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/lines"
	"github.com/procession-go/procession/plaintext"
)

// lineSearch looks in output that comes in chunks for a line that matches re, as
// a model would read it; for any output at all if re is nil.
type lineSearch struct {
	re       *regexp.Regexp
	scanners [2]lines.Scanner // by stream
	found    bool
}

// feed reports whether it has been found, in this chunk or before.
func (s *lineSearch) feed(chunk procession.Chunk) bool {
	if s.re == nil {
		s.found = s.found || len(chunk.Segments) > 0
		return s.found
	}
	if chunk.Dropped > 0 { // what comes next is the middle of some line
		s.scanners = [2]lines.Scanner{}
	}
	for _, segment := range chunk.Segments {
		s.scanners[segment.Stream].Feed(segment.Data, func(line []byte) bool {
			s.found = s.found || s.matches(line)
			return !s.found
		})
	}
	return s.found
}

// begun reports whether a line matches whose end has not come: a prompt, perhaps.
func (s *lineSearch) begun() bool {
	if s.re == nil {
		return false
	}
	for i := range s.scanners {
		if rest := s.scanners[i].Rest(); len(rest) > 0 && s.matches(rest) {
			return true
		}
	}
	return false
}

func (s *lineSearch) matches(line []byte) bool { return s.re.MatchString(plaintext.Bytes(line)) }

package actors

import (
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/procession-go/procession/internal/lines"
	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/internal/output"
)

// search looks for the pattern of a probe in the output as it is read, before any of
// it may be dropped. The goroutines that read the output call its methods.
type search struct {
	pattern *regexp.Regexp
	done    atomic.Bool
	matched func() // called once

	mu     sync.Mutex
	lines  [2]lines.Scanner // by stream
	timers [2]*time.Timer   // that look at a long line, see later
}

// patternFound reports that the pattern has matched.
type patternFound struct{ run *run }

// longLineSettle is how long a long line without its end must stay unchanged before
// it is looked at.
const longLineSettle = 20 * time.Millisecond

// output looks at output that was just read. It returns a function that must be called
// once that output is in the log, so that whoever is told that the process is ready
// finds there what made it ready. Until then the search is locked.
func (s *search) output(stream output.Stream, data []byte) (then func()) {
	if s.done.Load() {
		return nil
	}
	s.mu.Lock()
	scanner := &s.lines[stream]
	none := scanner.Feed(data, func(line []byte) bool { return !s.pattern.Match(line) })
	now, later := scanner.IsDue()
	switch {
	case !none, now && s.pattern.Match(scanner.Rest()):
		return func() {
			s.mu.Unlock()
			s.found()
		}
	case later:
		s.later(stream)
	}
	return s.mu.Unlock
}

func (s *search) found() {
	if s.done.CompareAndSwap(false, true) {
		s.matched()
	}
}

// later looks at the rest of a line once it has stayed unchanged for longLineSettle.
func (s *search) later(stream output.Stream) {
	if s.timers[stream] != nil {
		s.timers[stream].Reset(longLineSettle)
		return
	}
	s.timers[stream] = time.AfterFunc(longLineSettle, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if rest := s.lines[stream].Rest(); len(rest) > 0 && !s.done.Load() && s.pattern.Match(rest) {
			s.found()
		}
	})
}

// searchOutput has the output of c searched if readiness depends on a pattern.
func (p *process) searchOutput(c *osproc.Command) {
	if p.spec.Ready == nil || p.spec.Ready.Pattern == "" {
		return
	}
	r := p.run
	// The pattern is valid: validate has compiled it.
	s := &search{pattern: regexp.MustCompile(p.spec.Ready.Pattern), matched: func() { p.tell(&patternFound{r}) }}
	c.Tap = s.output
}

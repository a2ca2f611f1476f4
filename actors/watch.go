package actors

import (
	"regexp"
	"sync/atomic"

	"github.com/procession-go/procession/internal/lines"
	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/internal/output"
)

// watch looks for a pattern in the output as it is read, before any of it may be
// dropped. Its methods are called by the readers.
type watch struct {
	pattern *regexp.Regexp
	lines   [2]lines.Scanner // by stream, each for the reader of that stream alone
	done    atomic.Bool
	matched func() // called once
}

// watched tells that the pattern has matched.
type watched struct{ run *run }

// output looks at what was read, and answers what is to be called when it is in
// the log: who is told that the process is ready finds there what it is by.
func (w *watch) output(s output.Stream, data []byte) (then func()) {
	if w.done.Load() {
		return nil
	}
	scanner := &w.lines[s]
	none := scanner.Feed(data, func(line []byte) bool { return !w.pattern.Match(line) })
	if (!none || w.pattern.Match(scanner.Rest())) && w.done.CompareAndSwap(false, true) {
		return w.matched
	}
	return nil
}

// watchOutput makes c show its output to a watch, if readiness depends on it.
func (p *process) watchOutput(c *osproc.Command) {
	if p.spec.Ready == nil || p.spec.Ready.Pattern == "" {
		return
	}
	r := p.run
	// validate has tried the pattern.
	w := &watch{pattern: regexp.MustCompile(p.spec.Ready.Pattern), matched: func() { p.tell(&watched{r}) }}
	c.Watch = w.output
}

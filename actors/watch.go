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

// watch looks for a pattern in the output as it is read, before any of it may be
// dropped. Its methods are called by the readers.
type watch struct {
	pattern *regexp.Regexp
	done    atomic.Bool
	matched func() // called once

	mu     sync.Mutex
	lines  [2]lines.Scanner // by stream
	timers [2]*time.Timer   // that look at a long line, see later
}

// watched tells that the pattern has matched.
type watched struct{ run *run }

// longLineSettle is how long nothing must come of a long line for it to be looked at though
// its end has not come.
const longLineSettle = 20 * time.Millisecond

// output looks at what was read, and answers what is to be called when it is in
// the log: who is told that the process is ready finds there what it is by. Until
// then nobody else looks.
func (w *watch) output(s output.Stream, data []byte) (then func()) {
	if w.done.Load() {
		return nil
	}
	w.mu.Lock()
	scanner := &w.lines[s]
	none := scanner.Feed(data, func(line []byte) bool { return !w.pattern.Match(line) })
	now, later := scanner.IsDue()
	switch {
	case !none, now && w.pattern.Match(scanner.Rest()):
		return func() {
			w.mu.Unlock()
			w.found()
		}
	case later:
		w.later(s)
	}
	return w.mu.Unlock
}

func (w *watch) found() {
	if w.done.CompareAndSwap(false, true) {
		w.matched()
	}
}

// later looks at a line when nothing has come of it for a while.
func (w *watch) later(s output.Stream) {
	if w.timers[s] != nil {
		w.timers[s].Reset(longLineSettle)
		return
	}
	w.timers[s] = time.AfterFunc(longLineSettle, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if rest := w.lines[s].Rest(); len(rest) > 0 && !w.done.Load() && w.pattern.Match(rest) {
			w.found()
		}
	})
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

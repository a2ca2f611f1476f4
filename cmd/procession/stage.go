package main

import (
	"os"
	"strings"
	"sync"

	"github.com/fatih/color"

	"github.com/procession-go/procession/internal/poolfile"
)

// systemName is what stands before what procession itself says.
const systemName = "system"

// stage is where the output of a pool's processes is shown, and what procession
// says about them. Saying something never waits: a terminal that has been held,
// or a pager, must not hold up what there is to decide.
type stage struct {
	console   *console
	printer   *printer
	prefix    string // of what procession says
	tracks    map[string]*track
	logs      map[string]*outputLog // empty if there are none
	onFailure func()                // the output cannot be written

	mu      sync.Mutex
	said    []func() // what is to be written, in order
	writing bool     // a goroutine does
	idle    sync.Cond
	err     error // the first of writing output
}

func newStage(c *console, flags *upFlags, pool *poolfile.Pool) (*stage, error) {
	names := []string{systemName}
	for i := range pool.Processes {
		names = append(names, pool.Processes[i].Spec.Name)
	}
	s := &stage{console: c, printer: newPrinter(c, names), tracks: map[string]*track{}, logs: map[string]*outputLog{}}
	s.idle.L = &s.mu
	s.prefix = s.printer.prefix(systemName, color.Bold, coloured(c.stderr))
	if flags.logDir != "" {
		if err := os.MkdirAll(flags.logDir, 0o755); err != nil {
			return nil, usagef("--log-dir: %w", err)
		}
	}
	for _, name := range names[1:] {
		t := &track{name: name, stage: s, begun: make(chan struct{})}
		t.out, t.errs = s.printer.streams(name)
		if flags.noPrefix {
			t.out.prefix, t.errs.prefix = "", ""
		}
		if flags.logDir != "" {
			s.logs[name] = newOutputLog(flags.logDir, name, s.say)
		}
		s.tracks[name] = t
	}
	return s, nil
}

// say writes a line, after everything that has been said before.
func (s *stage) say(text string) { s.later(func() { s.write(text) }) }

// write writes a line of procession's own.
func (s *stage) write(text string) {
	line := &lineWriter{mu: &s.printer.mu, to: s.console.stderr, prefix: s.prefix}
	line.Write([]byte(strings.ReplaceAll(text, "\n", " ") + "\n")) // if stderr is gone there is nobody to tell
}

// later does something after what was said before, and does not wait for it.
func (s *stage) later(do func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.said = append(s.said, do)
	if !s.writing {
		s.writing = true
		go s.speak()
	}
}

// speak does what there is to do.
func (s *stage) speak() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.said) > 0 {
		do := s.said[0]
		s.said = s.said[1:]
		s.mu.Unlock()
		do()
		s.mu.Lock()
	}
	s.writing = false
	s.idle.Broadcast()
}

// silence waits until everything that was said has been written.
func (s *stage) silence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.writing {
		s.idle.Wait()
	}
}

// fail notes that output cannot be read or written.
func (s *stage) fail(err error) {
	s.mu.Lock()
	first := s.err == nil
	if first {
		s.err = err
	}
	s.mu.Unlock()
	if first {
		s.onFailure()
	}
}

// failure is what was wrong with the output, nil if just nobody read it any more.
func (s *stage) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if isBrokenPipe(s.err) {
		return nil
	}
	return s.err
}

// failed reports whether something was.
func (s *stage) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}

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
// says about them, in the order in which it came here. What comes here never waits:
// a terminal that has been held, or a pager, must not hold up what there is to
// decide.
type stage struct {
	console   *console
	printer   *printer
	prefix    string // of what procession says
	tracks    map[string]*track
	logs      map[string]*outputLog // empty if there are none
	onFailure func()                // the output cannot be written

	out, errs *queue // what is to be written to the two files; one if they are the same

	mu  sync.Mutex
	err error // the first of writing output
}

func newStage(c *console, flags *upFlags, pool *poolfile.Pool) (*stage, error) {
	names := []string{systemName}
	for i := range pool.Processes {
		names = append(names, pool.Processes[i].Spec.Name)
	}
	s := &stage{console: c, printer: newPrinter(c, names), tracks: map[string]*track{}, logs: map[string]*outputLog{}, errs: newQueue()}
	if s.out = s.errs; !c.together() {
		s.out = newQueue()
	}
	s.prefix = s.printer.prefix(systemName, color.Bold, coloured(c.stderr))
	if flags.logDir != "" {
		if err := os.MkdirAll(flags.logDir, 0o755); err != nil {
			return nil, usagef("--log-dir: %w", err)
		}
	}
	for i, name := range names[1:] {
		out, errs := s.printer.streams(name)
		if flags.noPrefix {
			out.prefix, errs.prefix = "", ""
		}
		onTerminal := pool.Processes[i].Spec.PTY != nil
		s.tracks[name] = &track{
			name: name, stage: s, begun: make(chan struct{}),
			out:  &lines{queue: s.out, to: lineMakerFor(out, onTerminal || c.stdout.terminal)},
			errs: &lines{queue: s.errs, to: lineMakerFor(errs, onTerminal || c.stderr.terminal)},
		}
		if flags.logDir != "" {
			log, err := newOutputLog(flags.logDir, name, s.say)
			if err != nil {
				return nil, usagef("--log-dir: %w", err)
			}
			s.logs[name] = log
		}
	}
	return s, nil
}

// say writes a line of procession's own, after everything that came before.
func (s *stage) say(text string) {
	s.errs.add(func() {
		line := &lineWriter{mu: &s.printer.mu, to: s.console.stderr, prefix: s.prefix}
		line.Write([]byte(strings.ReplaceAll(text, "\n", " ") + "\n")) // if stderr is gone there is nobody to tell
	})
}

// silence waits until everything has been written.
func (s *stage) silence() {
	s.out.wait()
	s.errs.wait()
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

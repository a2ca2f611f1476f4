package up

import (
	"os"
	"strings"
	"sync"

	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/logfile"
	"github.com/procession-go/procession/internal/cli/screen"
	"github.com/procession-go/procession/internal/poolfile"
)

// systemName is what stands before what procession itself says.
const systemName = "system"

// display is where the output of a pool's processes is shown, and what procession
// says about them, in the order in which it came here. What comes here never waits:
// a terminal that has been held, or a pager, must not hold up what there is to
// decide.
type display struct {
	system      *screen.LineWriter // of what procession says; for what the queue does alone
	transcripts map[string]*transcript
	logs        map[string]*logfile.File // empty if there are none
	onFailure   func()                   // the output cannot be written

	out, errs *queue // what is to be written to the two files; one if they are the same

	mu  sync.Mutex
	err error // the first of writing output
}

func newDisplay(c *console.Console, flags *upFlags, pool *poolfile.Pool) (*display, error) {
	names := []string{systemName}
	for i := range pool.Processes {
		names = append(names, pool.Processes[i].Spec.Name)
	}
	printer := screen.NewPrinter(c, names)
	s := &display{system: printer.System(systemName), transcripts: map[string]*transcript{}, logs: map[string]*logfile.File{}, errs: newQueue()}
	if s.out = s.errs; !c.Together() {
		s.out = newQueue()
	}
	if flags.logDir != "" {
		if err := os.MkdirAll(flags.logDir, 0o755); err != nil {
			return nil, console.Usagef("--log-dir: %w", err)
		}
	}
	for i, name := range names[1:] {
		out, errs := printer.Streams(name)
		if flags.noPrefix {
			out.Bare()
			errs.Bare()
		}
		onTerminal := pool.Processes[i].Spec.PTY != nil
		s.transcripts[name] = &transcript{
			name: name, display: s, begun: make(chan struct{}),
			out:  &lines{queue: s.out, to: screen.LineMakerFor(out, onTerminal || c.Stdout.Terminal)},
			errs: &lines{queue: s.errs, to: screen.LineMakerFor(errs, onTerminal || c.Stderr.Terminal)},
		}
		if flags.logDir != "" {
			log, err := logfile.New(flags.logDir, name, s.say)
			if err != nil {
				return nil, console.Usagef("--log-dir: %w", err)
			}
			s.logs[name] = log
		}
	}
	return s, nil
}

// say writes a line of procession's own, after everything that came before.
func (s *display) say(text string) {
	s.errs.add(func() {
		s.system.Write([]byte(strings.ReplaceAll(text, "\n", " ") + "\n")) // if stderr is gone there is nobody to tell
	})
}

// silence waits until everything has been written.
func (s *display) silence() {
	s.out.wait()
	s.errs.wait()
}

// fail notes that output cannot be read or written.
func (s *display) fail(err error) {
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
func (s *display) failure() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if console.IsBrokenPipe(s.err) {
		return nil
	}
	return s.err
}

// failed reports whether something was.
func (s *display) failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err != nil
}

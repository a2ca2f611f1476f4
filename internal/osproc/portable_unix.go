//go:build unix && !linux

package osproc

import (
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/output"
)

func endsWithEngine(*syscall.SysProcAttr) {}

// stream is read by a pump all the time.
type stream struct {
	process *Process
	index   int
	pump    *pump
	silent  atomic.Bool // what comes is not output any more
}

// linger is 0: a pump waits as long as it takes.
const linger = 0

func openPipe(p *Process, name output.Stream) (s *stream, theirs end, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, end{}, err
	}
	return newStream(p, r, name), end{w}, nil
}

func newStream(p *Process, file *os.File, name output.Stream) *stream {
	s := &stream{process: p, index: int(name)}
	s.pump = newPump(file, output.NewBuffer(name), s)
	return s
}

func openTerminalStream(p *Process) *stream { return newStream(p, p.terminal, output.Stdout) }

func (s *stream) start() {
	go func() {
		s.pump.run()
		if s.pump.file != s.process.terminal {
			s.pump.file.Close()
		}
		s.silence()
	}()
}

func (s *stream) took(n int) {
	if slice, ok := s.pump.buffer.Filled(n); ok {
		s.process.push(slice)
	}
	s.process.took(s.index, n)
}

func (s *stream) awaitRoom() int { return s.process.awaitRoom(s.index) }

// readOn has nothing to do: its pump waits by itself.
func (s *stream) readOn() {}

func (s *stream) discard() { s.pump.wake() }

func (s *stream) silence() {
	if s.silent.Swap(true) {
		return
	}
	if last, ok := s.pump.buffer.Flush(); ok {
		s.process.push(last)
	}
	s.process.streamEnded()
}

func (s *stream) isSilent() (wanted, done bool) { return s.process.discarding.Load(), s.silent.Load() }

// unread is not known; the idle time alone decides.
func (s *stream) unread() int64 {
	if s.pump.holds.Load() {
		return 1
	}
	return 0
}

// isOpen is so until the end has been read, which is at once.
func (s *stream) isOpen() bool { return !s.silent.Load() }

// look leaves it to the pump.
func (*stream) look() {}

func (s *stream) close() {
	if s.pump.file != s.process.terminal {
		s.pump.file.Close()
	}
}

// sweeper ends the group of a leader; descendants that left it are not found.
type sweeper struct{}

func newSweeper(*Host) *sweeper { return &sweeper{} }

func (*sweeper) birth() birth { return birth{} }

// moment is one after everything that there was.
func (*sweeper) lastPID() int { return 0 }

func (*sweeper) noteMoment(t *tree, _ []*Process) []newest {
	t.ledger.At = ending.Moment{Tick: 1}
	return nil
}

func (*sweeper) findsMembers() bool { return false }

// childless is known of a group without members. Its number stays taken as long
// as it has one (POSIX, setpgid(2)).
func (*sweeper) childless(p *Process) bool { return signalGroup(p.PID, 0) != nil }

// ask waits until the groups of the leaders that have exited are empty.
func (*sweeper) ask(t *tree) {
	if len(t.gone) == 0 {
		return
	}
	gone := t.gone
	t.gone = nil
	var groups []int
	for _, p := range t.leaders {
		if p.hasExited() {
			groups = append(groups, p.PID)
		}
	}
	go func() {
		for _, pgid := range groups {
			for signalGroup(pgid, 0) == nil {
				time.Sleep(5 * time.Millisecond)
			}
		}
		for _, f := range gone {
			f()
		}
	}()
}

func (*sweeper) stopStrays(time.Time) {}

func (*sweeper) close(time.Time) {}

func (*sweeper) reaped(*Process) {}

//go:build windows

package osproc

import (
	"errors"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/output"
	"github.com/procession-go/procession/internal/tty"
)

// Windows has neither process groups that can be signalled nor signals: a
// process is ended by TerminateProcess, alone. What cannot be done says so.

const (
	sigCont = syscall.Signal(-1)
)

var errNotDir = errors.New("not a directory")

func leads(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func signalGroup(pid int, sig syscall.Signal) error { return signalProcess(pid, sig) }

func hasLeft(int) bool { return false }

func dumpsCore(syscall.Signal) bool { return false }

// signalProcess ends the process whichever signal is to stop it.
func signalProcess(pid int, sig syscall.Signal) error {
	switch sig {
	case sigCont:
		return nil
	case syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT:
		p, err := os.FindProcess(pid)
		if err != nil {
			return os.ErrProcessDone
		}
		defer p.Release()
		return p.Kill()
	}
	return &os.SyscallError{Syscall: "signal " + sig.String(), Err: errors.ErrUnsupported}
}

// writeOnce writes nothing: it would block.
func writeOnce(uintptr, []byte) int { return 0 }

func signalName(sig syscall.Signal) string { return sig.String() }

func (p *Process) openTerminal(Size) (end, error) {
	return end{}, &os.SyscallError{Syscall: "pseudo-terminal", Err: errors.ErrUnsupported}
}

// Modes returns an error: no process has a terminal here.
func (p *Process) Modes() (modes tty.Modes, err error) { return modes, errors.ErrUnsupported }

// Resize returns an error, too.
func (p *Process) Resize(Size) error {
	return &os.SyscallError{Syscall: "pseudo-terminal", Err: errors.ErrUnsupported}
}

// sweeper has nothing to find.
type sweeper struct{}

func newSweeper(*Host) *sweeper { return &sweeper{} }

func (*sweeper) birth() birth { return birth{} }

func (*sweeper) lastPID() int { return 0 }

func (*sweeper) noteMoment(t *tree, _ []*Process) []newest {
	t.ledger.At = ending.Moment{Tick: 1}
	return nil
}

func (*sweeper) findsMembers() bool { return false }

func (*sweeper) childless(*Process) bool { return true }

func (*sweeper) ask(t *tree) {
	for _, f := range t.gone {
		go f()
	}
	t.gone = nil
}

func (*sweeper) stopStrays(time.Time) {}

func (*sweeper) close(time.Time) {}

func (*sweeper) reaped(*Process) {}

// stream reads one pipe with blocking reads.
type stream struct {
	process *Process
	index   int
	file    *os.File
	buffer  *output.Buffer

	mu     sync.Mutex
	silent bool // what comes is not output any more
}

func openPipe(p *Process, name output.Stream) (s *stream, theirs end, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, end{}, err
	}
	return &stream{process: p, index: int(name), file: r, buffer: output.NewBuffer(name)}, end{w}, nil
}

func (s *stream) start() { go s.run() }

// unread is not known; the idle time alone decides.
func (s *stream) unread() int64 { return 0 }

// isOpen is so until the end has been read, which is at once.
func (s *stream) isOpen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.silent
}

// look leaves it to the goroutine that reads.
func (*stream) look() {}

func (s *stream) close() { s.file.Close() }

func (s *stream) run() {
	for {
		free := s.buffer.Free()
		n, err := s.file.Read(free[:min(len(free), s.process.awaitRoom(s.index))])
		s.took(n)
		if err != nil {
			break
		}
	}
	s.file.Close()
	s.discard()
}

// readOn has nothing to do: it waits by itself.
func (s *stream) readOn() {}

func (s *stream) took(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	slice, ok := s.buffer.Filled(n)
	if s.silent {
		return
	}
	if ok {
		s.process.push(slice)
	}
	s.process.took(s.index, n)
}

// discard drops what comes from now on.
func (s *stream) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.silent {
		return
	}
	s.silent = true
	s.process.streamEnded()
}

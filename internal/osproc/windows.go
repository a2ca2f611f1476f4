//go:build windows

package osproc

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/output"
)

// Windows has neither process groups that can be signalled nor signals: a
// process is ended by TerminateProcess, alone. What cannot be done says so.

const (
	sigCont = syscall.Signal(-1)
	sigHup  = syscall.Signal(-1)
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

// Resize is an error: no process has a terminal here.
func (p *Process) Resize(Size) error {
	return &os.SyscallError{Syscall: "pseudo-terminal", Err: errors.ErrUnsupported}
}

// sweeper has nothing to find.
type sweeper struct{}

func newSweeper(*Host) *sweeper { return &sweeper{} }

func (*sweeper) birth() birth { return birth{} }

func (*sweeper) lastPID() int { return 0 }

func (*sweeper) findsMembers() bool { return false }

func (*sweeper) stop(*Process, syscall.Signal) {}

func (*sweeper) childless(*Process) bool { return true }

func (*sweeper) end(_ *Process, _ syscall.Signal, done func()) { done() }

func (*sweeper) close(time.Time) {}

func (*sweeper) reaped(*Process) {}

// stream reads one pipe with blocking reads.
type stream struct {
	process *Process
	file    *os.File
	buffer  *output.Buffer
}

func openPipe(p *Process, name output.Stream) (s *stream, theirs end, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, end{}, err
	}
	return &stream{process: p, file: r, buffer: output.NewBuffer(name)}, end{w}, nil
}

func (s *stream) start() { go s.run() }

// drain closes the pipe if nothing has come for the idle time.
func (s *stream) drain() {
	until, passed := s.process.draining.Load().deadline()
	if passed {
		s.close()
		return
	}
	time.AfterFunc(time.Until(until), s.drain)
}

func (s *stream) close() { s.file.Close() }

func (s *stream) run() {
	for {
		n, err := s.file.Read(s.buffer.Free())
		if d := s.process.draining.Load(); d != nil {
			d.touch()
		}
		if slice, ok := s.buffer.Filled(n); ok {
			s.process.push(slice)
		}
		if err != nil {
			break
		}
	}
	if last, ok := s.buffer.Flush(); ok {
		s.process.push(last)
	}
	s.file.Close()
	s.process.streamEnded()
}

//go:build unix && !linux

package osproc

import (
	"os"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/output"
)

func endsWithEngine(*syscall.SysProcAttr) {}

// stream is read by a pump all the time.
type stream struct {
	process *Process
	pump    *pump
}

// linger is 0: a pump waits as long as it takes.
const linger = 0

func openPipe(p *Process, name output.Stream) (s *stream, theirs end, err error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, end{}, err
	}
	return &stream{p, newPump(p, r, output.NewBuffer(name))}, end{w}, nil
}

func openTerminalStream(p *Process) *stream {
	return &stream{p, newPump(p, p.terminal, output.NewBuffer(output.Stdout))}
}

func (s *stream) start() {
	go func() {
		s.pump.run()
		if last, ok := s.pump.buffer.Flush(); ok {
			s.process.push(last)
		}
		if s.pump.file != s.process.terminal {
			s.pump.file.Close()
		}
		s.process.streamEnded()
	}()
}

func (s *stream) drain() { s.pump.file.SetReadDeadline(time.Unix(1, 0)) }

func (s *stream) close() {
	if s.pump.file != s.process.terminal {
		s.pump.file.Close()
	}
}

// sweeper ends the group of a leader; descendants that left it are not found.
type sweeper struct{}

func newSweeper(*Host) *sweeper { return &sweeper{} }

func (*sweeper) birth() birth { return birth{} }

func (*sweeper) lastPID() int { return 0 }

func (*sweeper) findsMembers() bool { return false }

func (*sweeper) stop(*Process, syscall.Signal) {}

// childless is known of a group without members. Its number stays taken as long
// as it has one (POSIX, setpgid(2)).
func (*sweeper) childless(p *Process) bool { return signalGroup(p.PID, 0) != nil }

// end signals the group and waits until it is empty.
func (*sweeper) end(p *Process, sig syscall.Signal, done func()) {
	p.StopGroup(sig)
	go func() {
		defer done()
		for signalGroup(p.PID, 0) == nil {
			time.Sleep(5 * time.Millisecond)
		}
	}()
}

func (*sweeper) close(time.Time) {}

func (*sweeper) reaped(*Process) {}

// pending is not known; the idle time alone decides.
func pending(*os.File) int { return 0 }

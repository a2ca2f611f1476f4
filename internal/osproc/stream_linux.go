package osproc

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/output"
)

// stream reads one pipe, or terminal, of a process. It is cold, and costs next to
// nothing, as long as little comes: the host's poller then reads what there is.
// One that has much to say is hot: it has a pump, until it falls silent. So is
// one that is being drained.
type stream struct {
	process *Process
	fd      int // -1 once it is closed
	buffer  output.Buffer

	mu    sync.Mutex
	ended bool
	pump  *pump // nil while it is cold
}

const (
	// burst is how many bytes the poller reads of one stream at a time.
	burst = 32 << 10

	// linger is how long a pump waits in silence before it ends.
	linger = 50 * time.Millisecond
)

// openPipe makes the pipe of a stream. theirs is the process's end.
func openPipe(p *Process, name output.Stream) (s *stream, theirs end, err error) {
	ours, w, err := pipe()
	if err != nil {
		return nil, end{}, err
	}
	setNonblock(ours) // only our end
	return newStream(p, ours, name), end{w + 1}, nil
}

func newStream(p *Process, fd int, name output.Stream) *stream {
	return &stream{process: p, fd: fd, buffer: *output.NewBuffer(name)}
}

// openTerminalStream reads the terminal of p.
func openTerminalStream(p *Process) *stream {
	fd := -1
	if raw, err := p.terminal.SyscallConn(); err == nil {
		raw.Control(func(n uintptr) { fd = int(n) })
	}
	return newStream(p, fd, output.Stdout)
}

// start begins to read.
func (s *stream) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process.host.poller.add(s.fd, s) != nil {
		s.heat(true)
	}
}

// readable reads what there is, up to a burst.
func (s *stream) readable() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for budget := burst; s.pump == nil && !s.ended; {
		if budget <= 0 && s.heat(false) {
			return
		}
		n, err := readPrompt(s.fd, s.buffer.Free())
		switch {
		case err == syscall.EAGAIN:
			s.buffer.Idle()
			return
		case n <= 0: // the end of a terminal is EIO
			s.end()
			return
		}
		budget -= n
		if slice, ok := s.buffer.Filled(n); ok {
			s.process.push(slice)
		}
	}
}

// heat gives the stream a pump. If that is not for good, the pump needs another
// descriptor; if there is none to be had the answer is false.
func (s *stream) heat(forGood bool) bool {
	file := s.process.terminal
	switch {
	case file != nil:
	case forGood:
		file = os.NewFile(uintptr(s.fd), "pipe")
	default:
		fd, err := unix.FcntlInt(uintptr(s.fd), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return false
		}
		file = os.NewFile(uintptr(fd), "pipe")
	}
	if file != s.process.terminal && !forGood {
		setPipeSize(s.fd)
	}
	s.process.host.poller.remove(s.fd)
	if forGood && s.process.terminal == nil {
		s.fd = -1 // file is its owner now
	}
	s.pump = newPump(s.process, file, &s.buffer)
	go s.run(s.pump)
	return true
}

// run reads until the end, or until the stream has fallen silent.
func (s *stream) run(p *pump) {
	for p.run() == errSilent {
		s.mu.Lock()
		if s.fd >= 0 && s.process.draining.Load() == nil && s.process.host.poller.add(s.fd, s) == nil {
			s.cool()
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cool()
	s.end()
}

// cool ends the time of the pump.
func (s *stream) cool() {
	if s.pump.file != s.process.terminal {
		s.pump.file.Close()
	}
	s.pump = nil
}

// drain reads until the end; see Process.Drain.
func (s *stream) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
	case s.pump != nil:
		s.pump.file.SetReadDeadline(time.Unix(1, 0)) // it sees that draining has begun
	default:
		s.heat(true)
	}
}

// end tells that nothing will follow.
func (s *stream) end() {
	if s.ended {
		return
	}
	s.ended = true
	if last, ok := s.buffer.Flush(); ok {
		s.process.push(last)
	}
	s.closeFD()
	s.process.streamEnded()
}

// closeFD closes the pipe. A terminal stays open: that would hang up a program
// that has closed its descriptors and still runs.
func (s *stream) closeFD() {
	switch poller := s.process.host.poller; {
	case s.fd < 0:
	case s.process.terminal != nil:
		poller.remove(s.fd)
	default:
		poller.drop(s.fd)
		closePrompt(s.fd)
	}
	s.fd = -1
}

// close gives up a stream that has not ended.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.ended:
	case s.pump != nil:
		s.pump.file.Close() // it ends by that
	default:
		s.ended = true
		s.closeFD()
	}
}

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
// One that has much to say is hot: it has a pump, until it falls silent.
type stream struct {
	process *Process
	index   int // among the process's streams
	fd      int // -1 once it is closed
	buffer  output.Buffer

	mu     sync.Mutex
	ended  bool  // there is nothing to read any more
	silent bool  // what comes is not output any more: it has ended, or is discarded
	pump   *pump // nil while it is cold
}

// linger is how long a pump waits in silence before it ends.
const linger = 50 * time.Millisecond

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
	return &stream{process: p, index: int(name), fd: fd, buffer: *output.NewBuffer(name)}
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
	s.read()
}

// look is readable for who is not the poller.
func (s *stream) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.silent {
		s.read()
	}
}

func (s *stream) read() {
	for budget := burst; s.pump == nil && !s.ended; {
		if budget <= 0 && s.heat(false) {
			return
		}
		space, room := s.space(), s.process.room(s.index)
		if room == 0 && isAtEnd(s.fd) {
			room = 1 // so that the end is read
		}
		if space = space[:min(len(space), room)]; len(space) == 0 {
			return // it is called again by readOn
		}
		n, err := readPrompt(s.fd, space)
		switch {
		case err == syscall.EAGAIN:
			if !s.silent {
				s.buffer.Idle()
			}
			return
		case n <= 0: // the end of a terminal is EIO
			s.end()
			return
		}
		budget -= n
		if !s.silent {
			s.took(n)
		}
	}
}

// space returns where to read to.
func (s *stream) space() []byte {
	if s.silent {
		return s.process.host.poller.spare[:]
	}
	return s.buffer.Free()
}

// readOn has a stream read again that had no room.
func (s *stream) readOn() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pump == nil && !s.ended {
		s.process.host.poller.again(s.fd)
	}
}

func (s *stream) awaitRoom() int { return s.process.awaitRoom(s.index) }

// took hands over what was read.
func (s *stream) took(n int) {
	if slice, ok := s.buffer.Filled(n); ok {
		s.process.push(slice)
	}
	s.process.took(s.index, n)
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
		s.fd = -1 // file closes it from now on
	}
	s.pump = newPump(file, &s.buffer, s)
	go s.run(s.pump)
	return true
}

// run reads until the end, or until the stream has fallen silent.
func (s *stream) run(p *pump) {
	for p.run() == errSilent {
		s.mu.Lock()
		if s.fd >= 0 && s.process.host.poller.add(s.fd, s) == nil {
			s.cool()
			if s.process.discarding.Load() {
				s.hush()
			}
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

// discard drops what comes from now on; see Process.Discard.
func (s *stream) discard() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pump != nil {
		s.pump.wake() // it calls silence, before it reads on
		return
	}
	s.hush()
}

// silence is called by the pump, which has handed over all that it has read.
func (s *stream) silence() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hush()
}

func (s *stream) isSilent() (wanted, done bool) {
	if !s.process.discarding.Load() {
		return false, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return true, s.silent
}

// hush tells that no output will follow.
func (s *stream) hush() {
	if s.silent {
		return
	}
	s.silent = true
	if last, ok := s.buffer.Flush(); ok {
		s.process.push(last)
	}
	s.process.streamEnded()
}

// end is when there is nothing to read any more.
func (s *stream) end() {
	if s.ended {
		return
	}
	s.ended = true
	s.closeFD()
	s.hush()
}

// unread returns how many bytes wait to be read, or at least 1 if something else is not in the log
// yet that has come: what was read, or the end.
func (s *stream) unread() (n int64) {
	s.inspect(func(fd int) {
		n = int64(waiting(fd))
		if n == 0 && (isHungUp(fd) || s.pump != nil && s.pump.holds.Load()) {
			n = 1
		}
	})
	return n
}

// isOpen reports whether there may be more than was read: something waits, or somebody
// has the other end.
func (s *stream) isOpen() (open bool) {
	s.inspect(func(fd int) { open = !isAtEnd(fd) })
	return open
}

// inspect calls f with the descriptor, as long as what comes is output.
func (s *stream) inspect(f func(fd int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.silent:
	case s.pump == nil:
		f(s.fd)
	default:
		s.pump.raw.Control(func(fd uintptr) { f(int(fd)) })
	}
}

func waiting(fd int) int {
	n, _ := unix.IoctlGetInt(fd, unix.TIOCINQ)
	return n
}

// isAtEnd reports whether nothing waits, and nobody has the other end any more.
func isAtEnd(fd int) bool { return isHungUp(fd) && waiting(fd) == 0 }

// isHungUp reports whether nobody has the other end any more (poll(2)).
func isHungUp(fd int) bool {
	polled := []unix.PollFd{{Fd: int32(fd)}}
	_, err := unix.Poll(polled, 0)
	return err == nil && polled[0].Revents&unix.POLLHUP != 0
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

//go:build unix

package osproc

import (
	"errors"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/output"
)

// pump reads one pipe, or terminal, in a goroutine of its own, through the
// runtime's poller.
type pump struct {
	file   *os.File
	raw    syscall.RawConn
	buffer *output.Buffer
	sink   sink
	once   func(fd uintptr) bool // readOnce, allocated once
	busy   bool                  // something has come since the deadline was set
	spare  []byte                // what is discarded is read into it

	holds atomic.Bool // what it has read is not in the log yet
	room  int         // how much it may read
	n     int         // what readOnce has read
	err   error
}

// sink is where a pump's output goes.
type sink interface {
	took(n int)
	// awaitRoom waits until something may be read, and returns how much.
	awaitRoom() int
	// silence is called when output is to be discarded from now on.
	silence()
	// isSilent reports whether it is to be, or is, discarded.
	isSilent() (wanted, done bool)
}

// Why a pump ends, besides an error.
var (
	errEOF    = errors.New("end of output")
	errSilent = errors.New("silent")
)

func newPump(file *os.File, buffer *output.Buffer, to sink) *pump {
	s := &pump{file: file, buffer: buffer, sink: to}
	s.raw, s.err = file.SyscallConn()
	s.once = s.readOnce
	return s
}

// run reads until the end, or until nothing has come for linger (if that is not
// 0), and returns why it has ended.
func (s *pump) run() error {
	s.listen()
	for s.err == nil {
		if wanted, done := s.sink.isSilent(); wanted && !done {
			s.sink.silence()
			s.listen()
		}
		s.room = s.sink.awaitRoom()
		err := s.raw.Read(s.once)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if wanted, done := s.sink.isSilent(); wanted && !done {
				continue
			}
			if !s.busy && linger > 0 {
				return errSilent
			}
			s.listen()
		case err != nil:
			s.err = err
		case s.n > 0:
			s.busy = true
			s.sink.took(s.n)
			s.holds.Store(false)
		}
	}
	return s.err
}

func (s *pump) listen() {
	s.busy = false
	deadline := time.Time{}
	if linger > 0 {
		deadline = time.Now().Add(linger)
	}
	s.file.SetReadDeadline(deadline)
}

// wake makes a pump that waits see that its output is to be discarded.
func (s *pump) wake() { s.file.SetReadDeadline(time.Unix(1, 0)) }

// readOnce reads once. A buffer is held only while there is something to read:
// the poller waits between two calls.
func (s *pump) readOnce(fd uintptr) bool {
	_, discarding := s.sink.isSilent()
	s.holds.Store(true)
	n, err := read(int(fd), s.space(discarding))
	if n <= 0 || discarding {
		s.holds.Store(false)
	}
	switch {
	case err == syscall.EAGAIN:
		if !discarding {
			s.buffer.Idle()
		}
		return false
	case err != nil: // a terminal's end is EIO
		s.n, s.err = 0, err
	case n == 0:
		s.n, s.err = 0, errEOF
	case discarding:
		s.n = 0
		s.busy = true
	default:
		s.n = n
	}
	return true
}

func (s *pump) space(discarding bool) []byte {
	if !discarding {
		free := s.buffer.Free()
		return free[:min(len(free), s.room)]
	}
	if s.spare == nil {
		s.spare = make([]byte, burst)
	}
	return s.spare
}

// burst is how many bytes the poller reads of one stream at a time, and how many are
// discarded at once.
const burst = 32 << 10

// read is read(2).
func read(fd int, buf []byte) (int, error) {
	for {
		if n, err := syscall.Read(fd, buf); err != syscall.EINTR {
			return n, err
		}
	}
}

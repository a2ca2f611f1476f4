//go:build unix

package osproc

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/output"
)

// pump reads one pipe, or terminal, in a goroutine of its own, through the
// runtime's poller.
type pump struct {
	process *Process
	file    *os.File
	raw     syscall.RawConn
	buffer  *output.Buffer
	once    func(fd uintptr) bool // readOnce, allocated once
	busy    bool                  // something has come since the deadline was set

	wait bool // readOnce: wait until there is something
	n    int  // what readOnce has read, -1 if there was nothing
	err  error
}

// Why a pump ends, besides an error.
var (
	errEOF     = errors.New("end of output")
	errDrained = errors.New("drained") // the pipe is still held open by a descendant
	errSilent  = errors.New("silent")
)

func newPump(p *Process, file *os.File, buffer *output.Buffer) *pump {
	s := &pump{process: p, file: file, buffer: buffer}
	s.raw, s.err = file.SyscallConn()
	s.once = s.readOnce
	return s
}

// run reads until the end, or until nothing has come for linger (if that is not
// 0), and answers why it has ended.
func (s *pump) run() error {
	s.listen()
	for s.err == nil {
		d := s.process.draining.Load()
		if d != nil {
			s.err = s.drain(d)
			if s.err != nil {
				break
			}
		}
		s.wait = true
		err := s.raw.Read(s.once)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if s.process.draining.Load() != nil {
				continue
			}
			if !s.busy {
				return errSilent
			}
			s.listen()
		case err != nil:
			s.err = err
		default:
			s.busy = true
			s.took(d)
		}
	}
	return s.err
}

func (s *pump) listen() {
	s.busy = false
	if linger > 0 {
		s.file.SetReadDeadline(time.Now().Add(linger))
	}
}

// drain reads until nothing is left at the moment, and only then looks at the
// clock: after a pause in which this goroutine got no CPU time, what has arrived
// meanwhile still counts.
func (s *pump) drain(d *drain) error {
	s.file.SetReadDeadline(time.Time{})
	for owed := pending(s.file); ; {
		s.wait = false
		err := s.raw.Read(s.once)
		if errors.Is(err, os.ErrDeadlineExceeded) { // it has been told late that draining has begun
			s.file.SetReadDeadline(time.Time{})
			continue
		}
		if err != nil {
			return err
		}
		if s.err != nil {
			return s.err
		}
		if s.n < 0 {
			break
		}
		owed -= s.n
		s.took(d)
		if owed <= 0 && d.expired() {
			return errDrained
		}
	}
	until, passed := d.deadline()
	if passed {
		return errDrained
	}
	s.file.SetReadDeadline(until)
	return nil
}

// took hands over what readOnce has read.
func (s *pump) took(d *drain) {
	if s.n <= 0 {
		return
	}
	if d != nil {
		d.touch()
	}
	if slice, ok := s.buffer.Filled(s.n); ok {
		s.process.push(slice)
	}
}

// readOnce reads once. A buffer is held only while there is something to read:
// the poller waits between two calls.
func (s *pump) readOnce(fd uintptr) bool {
	n, err := read(int(fd), s.buffer.Free())
	switch {
	case err == syscall.EAGAIN:
		s.n = -1
		s.buffer.Idle()
		return !s.wait
	case err != nil: // a terminal's end is EIO
		s.n, s.err = 0, err
	case n == 0:
		s.n, s.err = 0, errEOF
	default:
		s.n = n
	}
	return true
}

// read is read(2).
func read(fd int, buf []byte) (int, error) {
	for {
		if n, err := syscall.Read(fd, buf); err != syscall.EINTR {
			return n, err
		}
	}
}

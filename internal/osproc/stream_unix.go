//go:build unix

package osproc

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/output"
)

// stream reads one pipe (or terminal) of a process, in a goroutine of its own.
type stream struct {
	process *Process
	file    *os.File
	raw     syscall.RawConn
	buffer  *output.Buffer
	read    func(fd uintptr) bool // s.readOnce, allocated once

	wait bool // readOnce: wait until there is something
	n    int  // what readOnce found
	err  error
}

func newStream(p *Process, file *os.File, name output.Stream) *stream {
	s := &stream{process: p, file: file, buffer: output.NewBuffer(name)}
	s.raw, s.err = file.SyscallConn()
	s.read = s.readOnce
	return s
}

// wake makes a waiting read return, so that it sees that draining has begun.
func (s *stream) wake() { s.file.SetReadDeadline(time.Unix(1, 0)) }

func (s *stream) run() {
	for s.err == nil {
		s.next()
	}
	if last, ok := s.buffer.Flush(); ok {
		s.process.push(last)
	}
	if s.file != s.process.terminal {
		s.file.Close()
	}
	s.process.streamEnded()
}

// errDrained ends a stream whose pipe is still held open by a descendant.
var errDrained = errors.New("drained")

// next waits for something to read and reads it; what ends the stream is left
// in s.err.
func (s *stream) next() {
	s.wait = true
	err := s.raw.Read(s.read)
	d := s.process.draining.Load()
	switch {
	case d != nil && errors.Is(err, os.ErrDeadlineExceeded):
		s.nextDraining(d)
	case err != nil:
		s.err = err
	default:
		s.took(d)
	}
}

// nextDraining reads until nothing is left at the moment, and only then looks
// at the clock: after a pause in which this goroutine got no CPU time, what has
// arrived meanwhile still counts.
func (s *stream) nextDraining(d *drain) {
	s.file.SetReadDeadline(time.Time{})
	owed := pending(s.file)
	for s.err == nil {
		s.wait = false
		if err := s.raw.Read(s.read); err != nil {
			s.err = err
			return
		}
		if s.n < 0 {
			break
		}
		owed -= s.n
		s.took(d)
		if owed <= 0 && d.expired() {
			s.err = errDrained
		}
	}
	if s.err != nil {
		return
	}
	until, passed := d.deadline()
	if passed {
		s.err = errDrained
		return
	}
	s.file.SetReadDeadline(until)
}

// took hands over what readOnce has read.
func (s *stream) took(d *drain) {
	if s.n > 0 {
		if d != nil {
			d.touch()
		}
		if slice, ok := s.buffer.Filled(s.n); ok {
			s.process.push(slice)
		}
	}
}

// readOnce reads once. A buffer is held only while there is something to read:
// the poller waits between two calls. n is -1 if there was nothing.
func (s *stream) readOnce(fd uintptr) bool {
	for {
		n, err := syscall.Read(int(fd), s.buffer.Free())
		switch {
		case err == syscall.EINTR:
			continue
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
}

var errEOF = errors.New("end of output")

// Package ending decides how a tree of processes is ended: which process gets which
// signal, and when. It sends nothing, sees nothing and has no clock. It is given a
// snapshot of the tree and the time, and keeps a ledger of the signals that each
// process has had.
package ending

import (
	"syscall"
	"time"
)

// Stop says how a process is ended: by Signal at once, and by SIGKILL at Deadline.
// A shutdown gives all processes the same Deadline.
type Stop struct {
	Signal   syscall.Signal
	Deadline time.Time
}

// Now is the stop without a grace: SIGKILL at once.
var Now = Stop{Signal: syscall.SIGKILL}

// Next returns the signal that is due at the time now, and how long after now the
// next one is due; 0 means that none follows.
func (s Stop) Next(now time.Time) (due syscall.Signal, after time.Duration) {
	if left := s.Deadline.Sub(now); left > 0 && s.Signal != syscall.SIGKILL {
		return s.Signal, left
	}
	return syscall.SIGKILL, 0
}

// Sooner returns s, with the deadline of other if that is earlier. A second request
// to end a process never postpones its end, and never repeats the signal.
func (s Stop) Sooner(other Stop) Stop {
	if other.Signal == syscall.SIGKILL {
		other.Deadline = time.Time{}
	}
	if other.Deadline.Before(s.Deadline) {
		s.Deadline = other.Deadline
	}
	return s
}

// Course records how far a stop has come. The zero Course has not begun.
type Course struct {
	stop  Stop
	begun time.Time
	sent  syscall.Signal // the last
}

// Ask records a request to stop, and returns the signal that must be sent now, 0 if
// there is none. The first request makes the first signal due. Later ones can only make
// the deadline come sooner. Pass returns what has become due because time has passed.
func (c *Course) Ask(stop Stop, now time.Time) (due syscall.Signal) {
	if !c.Begun() {
		c.stop, c.begun = stop, now
		return c.Pass(now)
	}
	before := c.stop.Deadline
	if c.stop = c.stop.Sooner(stop); c.stop.Deadline.Equal(before) {
		return 0
	}
	return c.Pass(now)
}

// Pass returns the signal that has become due because time has passed, 0 if there
// is none.
func (c *Course) Pass(now time.Time) (due syscall.Signal) {
	if !c.Begun() {
		return 0
	}
	if due, _ = c.stop.Next(now); due == c.sent {
		return 0
	}
	c.sent = due
	return due
}

// Begun reports whether there was a request.
func (c *Course) Begun() bool { return !c.begun.IsZero() }

// Signal returns the stop signal.
func (c *Course) Signal() syscall.Signal { return c.stop.Signal }

// Killing reports whether the deadline has passed: everything gets SIGKILL.
func (c *Course) Killing() bool { return c.sent == syscall.SIGKILL }

// Left returns the time until the deadline, 0 if there is none to wait for.
func (c *Course) Left(now time.Time) time.Duration {
	if !c.Begun() || c.Killing() {
		return 0
	}
	_, after := c.stop.Next(now)
	return after
}

// half returns when half of the grace is over.
func (c *Course) half() time.Time { return c.begun.Add(c.stop.Deadline.Sub(c.begun) / 2) }

// UntilHalf returns the time until half of the grace is over, 0 if it is over.
func (c *Course) UntilHalf(now time.Time) time.Duration {
	if !c.Begun() || c.Killing() {
		return 0
	}
	return max(0, c.half().Sub(now))
}

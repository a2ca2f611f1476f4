// Package ending decides how a tree of processes is ended: who gets which signal, and
// when. It sends nothing, sees nothing and has no clock: it is given a snapshot of the
// tree and the time, and keeps a ledger of who has had what.
package ending

import (
	"syscall"
	"time"
)

// Stop is how a process that must end is ended: Signal, and at Deadline SIGKILL.
// A shutdown gives all its processes the same Deadline.
type Stop struct {
	Signal   syscall.Signal
	Deadline time.Time
}

// Now is the stop that gives no time.
var Now = Stop{Signal: syscall.SIGKILL}

// Next is the signal that is due at a time, and how long after it the next one
// is; 0 means that none follows.
func (s Stop) Next(now time.Time) (due syscall.Signal, after time.Duration) {
	if left := s.Deadline.Sub(now); left > 0 && s.Signal != syscall.SIGKILL {
		return s.Signal, left
	}
	return syscall.SIGKILL, 0
}

// Sooner is s with the deadline of other if that is earlier: a second request to
// end a process never postpones its end, and never repeats the signal.
func (s Stop) Sooner(other Stop) Stop {
	if other.Signal == syscall.SIGKILL {
		other.Deadline = time.Time{}
	}
	if other.Deadline.Before(s.Deadline) {
		s.Deadline = other.Deadline
	}
	return s
}

// Course is how far a stop has come. The zero Course has not begun.
type Course struct {
	stop  Stop
	begun time.Time
	sent  syscall.Signal // the last
}

// Ask notes a request to stop, and answers the signal that is to be sent now, 0 if
// none: the first request makes the first signal due, and a further one only brings
// the deadline nearer. What has become due by the passing of time alone is left to Pass.
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

// Pass answers the signal that has become due by the passing of time, 0 if none.
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

// Signal is the stop signal.
func (c *Course) Signal() syscall.Signal { return c.stop.Signal }

// Killing reports whether the deadline has passed: everything gets SIGKILL.
func (c *Course) Killing() bool { return c.sent == syscall.SIGKILL }

// Left is how long it is to the deadline, 0 if there is none to wait for.
func (c *Course) Left(now time.Time) time.Duration {
	if !c.Begun() || c.Killing() {
		return 0
	}
	_, after := c.stop.Next(now)
	return after
}

// half is when half of the grace is over.
func (c *Course) half() time.Time { return c.begun.Add(c.stop.Deadline.Sub(c.begun) / 2) }

// UntilHalf is how long it is until half of the grace is over, 0 if it is.
func (c *Course) UntilHalf(now time.Time) time.Duration {
	if !c.Begun() || c.Killing() {
		return 0
	}
	return max(0, c.half().Sub(now))
}

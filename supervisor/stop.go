package supervisor

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
	if other.Deadline.Before(s.Deadline) {
		s.Deadline = other.Deadline
	}
	return s
}

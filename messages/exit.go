package messages

import (
	"fmt"
	"time"
)

// Cause is why a process ended.
type Cause uint8

const (
	// CauseExited: it ended by itself, or by a signal that the engine did not
	// send to end it.
	CauseExited Cause = iota
	// CauseKilled: a caller asked (Kill, Release, or the end of its owner).
	CauseKilled
	// CauseTimeout: Spec.Timeout ran out.
	CauseTimeout
	// CauseCrashed: its actor failed, and its processes were ended with it.
	CauseCrashed
	// CauseShutdown: the engine shut down.
	CauseShutdown
	// CauseNotReady: Spec.Ready did not hold within its timeout.
	CauseNotReady
	// CauseStartFailed: it was to be started again, and could not be.
	CauseStartFailed
)

var causes = []string{"exited", "killed", "timeout", "crashed", "shutdown", "not-ready", "start-failed"}

// String is "exited", "killed", "timeout", "crashed", "shutdown", "not-ready" or
// "start-failed".
func (c Cause) String() string { return nameOf(causes, int(c)) }

// MarshalText encodes the cause as String does.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (c *Cause) UnmarshalText(text []byte) error {
	i, err := valueOf(causes, "cause", string(text))
	*c = Cause(i)
	return err
}

// Exit is how a process ended. It answers WaitExit and KillProcess.
type Exit struct {
	// Code is what the program returned, -1 if a signal ended it or if it could
	// not be started again.
	Code int
	// Signal is the name of the signal that ended it, "SIGKILL", or "" if it
	// ended by itself.
	Signal string
	// Cause is why it ended.
	Cause Cause
	// Reason says more where Cause does not say all: what was wrong with a
	// restart, or with a probe. Otherwise it is "".
	Reason string
	// StartError is why it could not be started again, if Cause is
	// CauseStartFailed; otherwise nil. It matches what the first start's error
	// would.
	StartError *Error
	// OutputCut tells that its output was not awaited to its end, as ErrWaitDelay of
	// os/exec does: after the leader had exited, somebody still held it open, and for
	// 250 ms nothing came, or the grace was over. What came later may be missing. So may
	// the last of what was ended while it waited for its readers (Block).
	OutputCut bool
	// GaveUp: it would have been started again, had it not been so often already
	// (Policy.MaxRestarts), whatever it returned.
	GaveUp bool
	// Time is when its leader was seen to have ended.
	Time time.Time
	// UserTime and SystemTime are the CPU time of the leader and of those of
	// its descendants that it waited for (getrusage(2)).
	UserTime, SystemTime time.Duration
	// MaxRSS is the largest resident set of the leader or of a descendant that
	// it waited for, in bytes. 0 where the system does not tell. Linux counts in
	// what the engine itself had when it forked (execve(2) keeps ru_maxrss), so
	// that it is an upper bound for a program that is smaller than the engine.
	MaxRSS int64
}

// Success reports whether the program ran to its end and returned 0.
func (e Exit) Success() bool { return e.Code == 0 && e.Signal == "" }

// String is "exit status 3" or "signal: SIGKILL".
func (e Exit) String() string {
	if e.Signal != "" {
		return "signal: " + e.Signal
	}
	return fmt.Sprintf("exit status %d", e.Code)
}

func nameOf(names []string, i int) string {
	if i >= len(names) {
		return fmt.Sprintf("unknown(%d)", i)
	}
	return names[i]
}

func valueOf(names []string, what, name string) (int, error) {
	for i, n := range names {
		if n == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("unknown %s %q", what, name)
}

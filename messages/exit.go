package messages

import (
	"fmt"
	"time"
)

// Cause says why a process ended.
type Cause uint8

const (
	// CauseExited: it ended by itself, or by a signal that the engine did not send
	// in order to end it.
	CauseExited Cause = iota
	// CauseKilled: a caller ended it (Kill, Release), or its owner has stopped.
	CauseKilled
	// CauseTimeout: Spec.Timeout ran out.
	CauseTimeout
	// CauseCrashed: its actor failed, and its process tree was ended with it.
	CauseCrashed
	// CauseShutdown: the engine shut down.
	CauseShutdown
	// CauseNotReady: it did not become ready within the timeout of Spec.Ready.
	CauseNotReady
	// CauseStartFailed: it was to be started again, but the start failed.
	CauseStartFailed
)

var causes = []string{"exited", "killed", "timeout", "crashed", "shutdown", "not-ready", "start-failed"}

// String returns "exited", "killed", "timeout", "crashed", "shutdown", "not-ready"
// or "start-failed".
func (c Cause) String() string { return nameOf(causes, int(c)) }

// MarshalText encodes the cause as String does.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (c *Cause) UnmarshalText(text []byte) error {
	i, err := valueOf(causes, "cause", string(text))
	*c = Cause(i)
	return err
}

// Exit describes how a process ended. It answers WaitExit and KillProcess.
type Exit struct {
	// Code is the exit code of the program, -1 if a signal ended it or if it could
	// not be started again.
	Code int
	// Signal is the name of the signal that ended it, such as "SIGKILL", or "" if
	// it ended by itself.
	Signal string
	// Cause says why it ended.
	Cause Cause
	// Reason adds to Cause what was wrong with a restart or with a probe. Otherwise
	// it is "".
	Reason string
	// StartError says why it could not be started again, if Cause is
	// CauseStartFailed. Otherwise it is nil. It matches the same errors as the
	// error of a first start.
	StartError *Error
	// OutputCut reports that the output was not read to its end, as ErrWaitDelay of
	// os/exec does. After the leader had exited, another process still held the output
	// open, and nothing had come for 250 ms, or the grace was over. Output that came
	// later may be missing. OutputCut is also set if the process was ended while it
	// waited for its readers (Block); the last of its output may be missing then.
	OutputCut bool
	// GaveUp reports that it was not started again only because it had been
	// restarted too often (Policy.MaxRestarts). It may be set with any exit code.
	GaveUp bool
	// Time is when the engine saw that the leader had ended.
	Time time.Time
	// UserTime and SystemTime are the CPU time of the leader and of the descendants
	// that it waited for (getrusage(2)).
	UserTime, SystemTime time.Duration
	// MaxRSS is the largest resident set, in bytes, of the leader or of a
	// descendant that it waited for. It is 0 where the system does not report it.
	// On Linux it includes the resident set that the engine had when it forked
	// (execve(2) keeps ru_maxrss), so for a program that is smaller than the engine
	// it is an upper bound.
	MaxRSS int64
}

// Success reports whether the program ended by itself with exit code 0.
func (e Exit) Success() bool { return e.Code == 0 && e.Signal == "" }

// String returns, for example, "exit status 3" or "signal: SIGKILL".
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

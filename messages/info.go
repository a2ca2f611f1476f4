package messages

import "time"

// State is the state of a process.
type State uint8

const (
	// Starting: its program is being started.
	Starting State = iota
	// Running: its program runs.
	Running
	// Stopping: it was asked to end, or its leader ended and its last output is
	// being read.
	Stopping
	// BackingOff: it ended and waits to be started again.
	BackingOff
	// Exited: it ended for good. Its output can be read until it is released.
	Exited
)

var states = []string{"starting", "running", "stopping", "backing-off", "exited"}

// String returns "starting", "running", "stopping", "backing-off" or "exited".
func (s State) String() string { return nameOf(states, int(s)) }

// MarshalText encodes the state as String does.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (s *State) UnmarshalText(text []byte) error {
	i, err := valueOf(states, "state", string(text))
	*s = State(i)
	return err
}

// Info describes one process. It answers GetInfo.
type Info struct {
	// ID is the ID that the pool gave the process: "proc_" and twelve hexadecimal
	// digits.
	ID string
	// Name, Command, Args, Dir and Labels are as its Spec gave them.
	Name, Command string
	Args          []string
	Dir           string
	Labels        map[string]string
	// PID is the process ID of the newest incarnation's leader, also after it
	// ended. It is 0 if there has been none.
	PID int
	// State is where it is in its life.
	State State
	// Ready reports whether the present incarnation has become ready.
	Ready bool
	// Restarts is how many times it was started again.
	Restarts int
	// CreatedAt is when the pool accepted the request. StartedAt is when the
	// program of the newest incarnation was started.
	CreatedAt, StartedAt time.Time
	// KillAt is when its grace is over and what is left of it gets SIGKILL. It is
	// zero if it is not being ended, or is being ended without a grace.
	KillAt time.Time
	// Exit describes how it ended for good. It is nil until then.
	Exit *Exit
	// Incarnations are the 16 newest of its ended incarnations, oldest first.
	Incarnations []Incarnation
	// Mark is the offset in the output at which the newest incarnation begins.
	Mark int64
	// OutputLimit is how many bytes of output may be retained; -1 (Unlimited) means
	// all.
	OutputLimit int64
	// OutputBytes is how many bytes of output the process has produced. Retained is
	// how many of these are retained, and Dropped how many are not.
	OutputBytes, Retained, Dropped int64
}

// Incarnation is one run of a process's program that has ended.
type Incarnation struct {
	// Mark is the offset in the output at which it begins. It stays valid as a
	// cursor even if output from there on was dropped.
	Mark int64
	// Ready reports whether it had become ready.
	Ready bool
	// Exit describes how it ended.
	Exit Exit
}

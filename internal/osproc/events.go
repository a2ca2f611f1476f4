package osproc

import "time"

// Event is something that happened to a process. The types are below. Each event
// comes at most once for a process, unless its comment says otherwise.
type Event interface{ Process() *Process }

type event struct{ process *Process }

// Process returns the process that it happened to.
func (e event) Process() *Process { return e.process }

// Started: the leader runs. The first event, unless it is StartFailed.
type Started struct{ event }

// StartFailed: it could not be started, and nothing of it is left. The only
// event.
type StartFailed struct {
	event
	Err error
}

// OutputReady: the log has output for which somebody waits, see output.Log.Await. It comes
// often.
type OutputReady struct{ event }

// OutputEnded: all output is in the log; none will follow.
type OutputEnded struct{ event }

// LeaderExited: the leader has exited.
type LeaderExited struct {
	event
	Status Status
}

// Killed: the deadline of its stop has come, and what was left of it gets SIGKILL. It may
// come twice if the stop began while its leader was not born yet.
type Killed struct{ event }

// OutputSilent: no output has come for a while, see Drain. It may come again after
// another Drain.
type OutputSilent struct {
	event
	drain *drain
}

// IsStale reports whether another Drain has begun since.
func (m *OutputSilent) IsStale() bool { return m.process.draining.Load() != m.drain }

// TreeGone: the leader has exited and nothing that it spawned is left, as far
// as can be seen.
type TreeGone struct{ event }

// Status describes how a leader exited.
type Status struct {
	// Code is the exit code of the program, -1 if a signal ended it.
	Code int
	// Signal is the name of that signal, such as "SIGKILL", or "".
	Signal string
	// Time is when the exit was seen.
	Time time.Time
	// UserTime and SystemTime are CPU times, MaxRSS is in bytes.
	UserTime, SystemTime time.Duration
	MaxRSS               int64
}

package osproc

import "time"

// Event is something that happened to a process; see the types below. Each
// comes at most once for a process, unless it says otherwise.
type Event interface{ Process() *Process }

type event struct{ process *Process }

// Process returns what it happened to.
func (e event) Process() *Process { return e.process }

// Started: the leader runs. The first event, unless it is StartFailed.
type Started struct{ event }

// StartFailed: it could not be started, and nothing of it is left. The only
// event.
type StartFailed struct {
	event
	Err error
}

// OutputReady: there is output in the log that was awaited, see output.Log.Await. It comes
// often.
type OutputReady struct{ event }

// OutputEnded: all output is in the log; none will follow.
type OutputEnded struct{ event }

// LeaderExited: the leader has exited.
type LeaderExited struct {
	event
	Status Status
}

// Killed: the deadline of its end has come, and something was left of it that gets SIGKILL.
// It may come twice if that was asked for while its leader was not born yet.
type Killed struct{ event }

// OutputSilent: nothing has come for a while, see Drain. It may come again after another
// Drain.
type OutputSilent struct {
	event
	drain *drain
}

// IsStale reports whether another Drain has begun since.
func (m *OutputSilent) IsStale() bool { return m.process.draining.Load() != m.drain }

// TreeGone: the leader has exited and nothing that it spawned is left, as far
// as can be seen.
type TreeGone struct{ event }

// Status is how a leader exited.
type Status struct {
	// Code is what the program returned, -1 if a signal ended it.
	Code int
	// Signal is the name of that signal, "SIGKILL", or "".
	Signal string
	// Time is when the exit was seen.
	Time time.Time
	// UserTime and SystemTime are CPU times, MaxRSS is in bytes.
	UserTime, SystemTime time.Duration
	MaxRSS               int64
}

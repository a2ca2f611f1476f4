package messages

import "time"

// Event is something that happened to a process. Events are published on the actor
// system's EventStream, in order for each process: *ProcessStarted, *ProcessReady,
// *ProcessStopping, *ProcessExited, *ProcessRestarting and *ProcessReleased.
// Engine.Events yields *EventsLost besides.
type Event interface {
	// From returns the name of the engine that the event comes from, see WithID.
	From() string
}

// Engine is embedded in all events of processes. It holds the name of the engine.
type Engine struct{ Engine string }

// From returns the name of the engine.
func (e Engine) From() string { return e.Engine }

// ProcessStarted says that the program of a process runs. For the first incarnation
// it is also the answer to StartProcess.
type ProcessStarted struct {
	Engine
	ID string
	// PID is the process ID of the leader.
	PID int
	// Incarnation is 0 for the first run, then counts the restarts.
	Incarnation int
	// Mark is the offset in the output at which this incarnation begins.
	Mark int64
	Time time.Time
}

// ProcessReady says that the present incarnation of a process is ready.
type ProcessReady struct {
	Engine
	ID   string
	Time time.Time
}

// ProcessStopping says that a process is being ended, and why.
type ProcessStopping struct {
	Engine
	ID    string
	Cause Cause
	Time  time.Time
}

// ProcessExited says that an incarnation of a process has ended, and that its
// output is complete or was cut (Exit.OutputCut).
type ProcessExited struct {
	Engine
	ID   string
	Exit Exit
	// Final means that the process will not be started again. Exit.GaveUp says
	// whether that is because it was restarted too often.
	Final bool
	// End is the offset after the last byte of its output.
	End int64
}

// ProcessRestarting says that a process waits to be started again.
type ProcessRestarting struct {
	Engine
	ID string
	// Incarnation is the number of the incarnation that will start.
	Incarnation int
	// Delay is how long the process waits, from Time on. It waits longer if what
	// the last incarnation left behind takes longer to end.
	Delay time.Duration
	Time  time.Time
}

// ProcessReleased says that a process was released: its ID is unknown from now on.
type ProcessReleased struct {
	Engine
	ID   string
	Time time.Time
}

// EventsLost tells a listener of Engine.Events that it was too slow, and that N
// events were dropped at this place. They were the oldest that waited for it.
type EventsLost struct{ N int }

// From returns "", because the event comes from the listener itself.
func (*EventsLost) From() string { return "" }

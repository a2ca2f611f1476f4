package messages

import "time"

// Event is what happened to a process, published on the actor system's
// EventStream by the process's actor, in order for each process:
// *ProcessStarted, *ProcessReady, *ProcessStopping, *ProcessExited,
// *ProcessRestarting, *ProcessReleased; and for Engine.Events *EventsLost.
type Event interface {
	// From is the name of the engine that it comes from, see WithID.
	From() string
}

// Engine is the part that all events of processes have: the name of the engine.
type Engine struct{ Engine string }

// From is the name.
func (e Engine) From() string { return e.Engine }

// ProcessStarted tells that a process's program runs. It also answers
// StartProcess, for the first incarnation.
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

// ProcessReady tells that the present incarnation of a process is ready.
type ProcessReady struct {
	Engine
	ID   string
	Time time.Time
}

// ProcessStopping tells that a process is being ended, and why.
type ProcessStopping struct {
	Engine
	ID    string
	Cause Cause
	Time  time.Time
}

// ProcessExited tells that an incarnation of a process has ended and its output
// is complete.
type ProcessExited struct {
	Engine
	ID   string
	Exit Exit
	// Final means that it will not be started again; Exit.GaveUp tells if that is
	// because it was too often already.
	Final bool
	// End is the offset after the last byte of its output.
	End int64
}

// ProcessRestarting tells that a process waits to be started again.
type ProcessRestarting struct {
	Engine
	ID string
	// Incarnation is the one that will start.
	Incarnation int
	// Delay is how long it waits, from Time on; longer if what the last
	// incarnation left behind takes longer to end.
	Delay time.Duration
	Time  time.Time
}

// ProcessReleased tells that a process's ID means nothing any more.
type ProcessReleased struct {
	Engine
	ID   string
	Time time.Time
}

// EventsLost tells a listener of Engine.Events that it was too slow and that
// its N oldest waiting events were dropped at this place.
type EventsLost struct{ N int }

// From is "": it comes from the listener itself.
func (*EventsLost) From() string { return "" }

package messages

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// StartProcess asks the pool to start a process. Answered with ProcessStarted
// once its program runs, or with an Error (CodeInvalidSpec, CodeLimit,
// CodeStart, CodeNoCommand, CodeDot, CodeClosed), and then nothing of it is left. The Spec
// is copied; it is not to be modified until the answer has come.
type StartProcess struct {
	Spec Spec
	// Owner, if not nil, is an actor that the process ends with: when it stops,
	// for whatever reason, the process is released.
	Owner *actor.PID
}

// GetOutput asks for all retained output. Answered with Output.
type GetOutput struct{ ID string }

// ReadOutput asks for output from a cursor on. Answered with Chunk.
type ReadOutput struct {
	ID string
	ReadOptions
}

// WaitExit asks to be told when the process has ended for good and its output
// is complete. Answered then, or at once if it has, with Exit.
type WaitExit struct{ ID string }

// WaitReady asks to be told when the process is ready. Answered then, or at
// once if it is, with Done; with an Error (CodeNotReady) if it ends before.
type WaitReady struct{ ID string }

// KillProcess asks to end the process and everything it spawned: its stop
// signal, then after its grace SIGKILL. Answered once all are dead with Exit;
// also if it had ended before. With an Error (CodeInvalidRequest) if KillOptions make
// no sense.
type KillProcess struct {
	ID string
	KillOptions
}

// KillOptions say how a process is ended. The zero value is as its Spec says. What is
// being ended already gets no second signal: another request can only bring its end nearer.
type KillOptions struct {
	// Grace is how long after the signal SIGKILL follows. 0 is the grace of the Spec. A
	// negative value is SIGKILL at once, to everything; and output that others still hold
	// open, whom it does not end, is not waited for as it is otherwise.
	Grace time.Duration
	// Signal is what asks the process to end. 0 is the StopSignal of the Spec.
	Signal syscall.Signal
}

// ReleaseProcess asks to forget the process: it is killed if it runs (what it
// spawned lives on if its Spec says LeaveDescendants), and its ID then means
// nothing any more. Answered with Released.
type ReleaseProcess struct{ ID string }

// Released answers ReleaseProcess.
type Released struct{ ID string }

// GetInfo asks for a description. Answered with Info.
type GetInfo struct{ ID string }

// ListProcesses asks for the descriptions of the processes that Selector
// selects. Answered with ProcessList.
type ListProcesses struct{ Selector Selector }

// ProcessList answers ListProcesses, in order of creation.
type ProcessList struct{ Processes []Info }

// Selector selects processes that have all of Labels, are in one of States, and
// have one of Names. A part that is empty selects all.
type Selector struct {
	Labels map[string]string
	States []State
	Names  []string
}

// Clone is a copy that shares nothing with s.
func (s Selector) Clone() Selector {
	s.Labels = maps.Clone(s.Labels)
	s.States = slices.Clone(s.States)
	s.Names = slices.Clone(s.Names)
	return s
}

// KillAll asks to end all processes that Selector selects, all at once, as
// KillProcess does each. Answered once all are dead with Count.
type KillAll struct{ Selector Selector }

// ReleaseAll asks to release all processes that Selector selects, all at once,
// as ReleaseProcess does each. Answered with Count.
type ReleaseAll struct{ Selector Selector }

// Count answers KillAll and ReleaseAll: how many processes it was done to. One
// that had already ended counts for ReleaseAll, not for KillAll.
type Count struct{ N int }

// WriteStdin asks to write to standard input, after what was written before.
// Answered with Done when all of it is in the pipe, or with an Error
// (CodeStdinClosed), which says how much was. So does CodeInvalidRequest: a line follows
// that is longer than its terminal takes. A process that does not read makes
// this answer wait. Nothing is copied: what waits its turn is held by who sent it.
type WriteStdin struct {
	ID   string
	Data []byte // not to be modified until the answer has come
}

// CloseStdin asks to close standard input after what was written before.
// Answered with Done; again is no error. CodeUnsupported: it runs on a terminal that has
// no end-of-file in its present mode.
type CloseStdin struct{ ID string }

// ResizeTerminal asks to change the size of the process's terminal. Answered
// with Done, or with an Error (CodeNoTerminal).
type ResizeTerminal struct {
	ID   string
	Size Size
}

// SendSignal asks to send a signal. Answered with Done, or with an Error (CodeExited)
// if the process has ended.
type SendSignal struct {
	ID     string
	Signal syscall.Signal
	Scope  Scope
}

// Scope is who gets a signal.
type Scope uint8

const (
	// ScopeGroup is the process group: the leader, and those of its descendants that have
	// not left it. It is the zero value.
	ScopeGroup Scope = iota
	// ScopeLeader is the process that was started, alone.
	ScopeLeader
)

// Done answers a request that has no other answer.
type Done struct {
	ID string
	// Written is the number of bytes written, for WriteStdin.
	Written int
}

// Cancel takes back the sender's requests about the process that are still
// waiting for their answer (WaitExit, WaitReady, KillProcess, ReadOutput, …);
// what is taken back is not answered any more, but for a WriteStdin, which is
// answered with how much was written. It ends only the waiting, never the
// process, and no kill. Not answered itself.
type Cancel struct{ ID string }

// Monitor asks to be told when the process has ended for good: exactly one
// ProcessDown is sent to the asker, at once if it already has.
type Monitor struct{ ID string }

// Demonitor takes a Monitor back. Answered with Done; no ProcessDown is sent
// after it.
type Demonitor struct{ ID string }

// ProcessDown tells who sent Monitor that the process has ended for good.
type ProcessDown struct {
	ID   string
	Exit Exit
}

// Shutdown asks the pool to end: all processes get their stop signal at once,
// what is left after one shared grace gets SIGKILL, and everything is reaped.
// Pending WaitExit are answered with CauseShutdown. Answered with
// ShutdownReport, after which the pool is gone.
type Shutdown struct{}

// ShutdownReport answers Shutdown. Processes that had ended before are in
// neither number.
type ShutdownReport struct {
	// Terminated is how many ended by the stop signal, Killed how many needed
	// SIGKILL (for themselves or for something they spawned).
	Terminated, Killed int
}

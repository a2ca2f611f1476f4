package messages

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// StartProcess asks the pool to start a process. It is answered with ProcessStarted once
// the program runs. If it is answered with an Error (CodeInvalidSpec, CodeLimit,
// CodeStart, CodeNoCommand, CodeDot, CodeClosed), nothing of the process is left. The
// engine copies the Spec; the sender must not modify it before the answer has come.
type StartProcess struct {
	Spec Spec
	// Owner is the actor that the process ends with: when that actor stops, for
	// whatever reason, the process is released. nil means that the process has no
	// owner.
	Owner *actor.PID
}

// GetOutput asks for all retained output. It is answered with Output.
type GetOutput struct{ ID string }

// ReadOutput asks for output from a cursor on. It is answered with Chunk.
type ReadOutput struct {
	ID string
	ReadOptions
}

// WaitExit is answered with Exit when the process has ended for good and its output
// is complete; at once if that is so already.
type WaitExit struct{ ID string }

// WaitReady is answered with Done when the process is ready, at once if it is
// already. It is answered with an Error (CodeNotReady) if the process ends before
// that.
type WaitReady struct{ ID string }

// KillProcess asks to end the process and everything it spawned: by its stop signal,
// then after its grace by SIGKILL. It is answered with Exit once all of them are
// dead, also if the process had ended before. It is answered with an Error
// (CodeInvalidRequest) if its KillOptions make no sense.
type KillProcess struct {
	ID string
	KillOptions
}

// KillOptions say how a process is ended. The zero value does what the Spec says. A process
// that is being ended already gets no second stop signal: another request can only make the
// end come sooner.
type KillOptions struct {
	// Grace is the time between the signal and SIGKILL. 0 is the grace of the Spec. A
	// negative value sends SIGKILL at once, to the whole tree. The engine then does not
	// wait, as it does otherwise, for output that is still held open by processes that
	// the kill does not end.
	Grace time.Duration
	// Signal is what asks the process to end. 0 is the StopSignal of the Spec.
	Signal syscall.Signal
}

// ReleaseProcess asks to forget the process. It is killed first if it runs; what it
// spawned lives on if its Spec says LeaveDescendants. Then its ID is unknown. It is
// answered with Released.
type ReleaseProcess struct{ ID string }

// Released answers ReleaseProcess.
type Released struct{ ID string }

// GetInfo asks for a description of the process. It is answered with Info.
type GetInfo struct{ ID string }

// ListProcesses asks for the descriptions of the processes that Selector selects.
// It is answered with ProcessList.
type ListProcesses struct{ Selector Selector }

// ProcessList answers ListProcesses. The processes are in order of creation.
type ProcessList struct{ Processes []Info }

// Selector selects the processes that have all of Labels, are in one of States, and
// have one of Names. An empty field selects all.
type Selector struct {
	Labels map[string]string
	States []State
	Names  []string
}

// Clone returns a copy that shares nothing with s.
func (s Selector) Clone() Selector {
	s.Labels = maps.Clone(s.Labels)
	s.States = slices.Clone(s.States)
	s.Names = slices.Clone(s.Names)
	return s
}

// KillAll asks to end all processes that Selector selects at the same time, each as
// KillProcess does. It is answered with Count once all are dead.
type KillAll struct{ Selector Selector }

// ReleaseAll asks to release all processes that Selector selects at the same time,
// each as ReleaseProcess does. It is answered with Count.
type ReleaseAll struct{ Selector Selector }

// Count answers KillAll and ReleaseAll: how many processes were killed or released.
// A process that had already ended counts for ReleaseAll, but not for KillAll.
type Count struct{ N int }

// WriteStdin asks to write to standard input, after everything that was written before.
// It is answered with Done when all of Data is in the pipe. If the process does not
// read, the answer waits. There are two refusals, and Error.Written says how much was
// written before each: CodeStdinClosed if the process has no standard input, or ends;
// CodeInvalidRequest if the next line is longer than its terminal takes. The engine does
// not copy Data, not even while the write waits for its turn.
type WriteStdin struct {
	ID   string
	Data []byte // must not be modified before the answer has come
}

// CloseStdin asks to close standard input, after everything that was written before. It
// is answered with Done, also if it was closed before. It is answered with an Error
// (CodeUnsupported) if the process runs on a terminal that has no end-of-file in its
// present mode.
type CloseStdin struct{ ID string }

// ResizeTerminal asks to change the size of the process's terminal. It is answered
// with Done, or with an Error (CodeNoTerminal).
type ResizeTerminal struct {
	ID   string
	Size Size
}

// SendSignal asks to send a signal. It is answered with Done, or with an Error
// (CodeExited) if the process has ended.
type SendSignal struct {
	ID     string
	Signal syscall.Signal
	Scope  Scope
}

// Scope says which processes get a signal.
type Scope uint8

const (
	// ScopeGroup is the process group: the leader, and its descendants that have not left
	// the group. It is the zero value.
	ScopeGroup Scope = iota
	// ScopeLeader is the leader alone.
	ScopeLeader
)

// Done answers the requests that have no answer of their own.
type Done struct {
	ID string
	// Written is the number of bytes written, for WriteStdin.
	Written int
}

// Cancel takes back the sender's requests about the process that still wait for an
// answer (WaitExit, WaitReady, KillProcess, ReadOutput, …). A request that was
// taken back is not answered. The exception is WriteStdin, which is answered with
// how much was written. Cancel ends the wait only: the process goes on, and so does
// a kill. Cancel itself is not answered.
type Cancel struct{ ID string }

// Monitor asks for exactly one ProcessDown when the process has ended for good; it
// is sent at once if that is so already.
type Monitor struct{ ID string }

// Demonitor takes a Monitor back. It is answered with Done, and no ProcessDown
// follows.
type Demonitor struct{ ID string }

// ProcessDown tells the sender of Monitor that the process has ended for good.
type ProcessDown struct {
	ID   string
	Exit Exit
}

// Shutdown asks the pool to end. All processes get their stop signal at the same
// time, what is left after one shared grace gets SIGKILL, and everything is reaped.
// Each WaitExit that still waits is answered with CauseShutdown. Shutdown is
// answered with ShutdownReport; after that the pool is gone.
type Shutdown struct{}

// ShutdownReport answers Shutdown. Processes that had ended before do not count.
type ShutdownReport struct {
	// Terminated is how many processes ended without SIGKILL. Killed is how many
	// needed SIGKILL, for themselves or for something they spawned.
	Terminated, Killed int
}

package procession

import (
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// The values that Engine's methods take and return, so that a caller imports one
// package. They are documented where they are defined.
type (
	Spec           = messages.Spec
	Size           = messages.Size
	Probe          = messages.Probe
	Policy         = supervisor.Policy
	Stream         = messages.Stream
	Overflow       = messages.Overflow
	Segment        = messages.Segment
	Output         = messages.Output
	ReadOptions    = messages.ReadOptions
	Chunk          = messages.Chunk
	Exit           = messages.Exit
	Cause          = messages.Cause
	State          = messages.State
	Info           = messages.Info
	Incarnation    = messages.Incarnation
	Scope          = messages.Scope
	KillOptions    = messages.KillOptions
	Selector       = messages.Selector
	Event          = messages.Event
	Capabilities   = messages.Capabilities
	ShutdownReport = messages.ShutdownReport
)

// Unlimited as an OutputLimit retains all output.
const Unlimited = messages.Unlimited

// The streams of a process.
const (
	Stdout = messages.Stdout
	Stderr = messages.Stderr
)

// What happens to output that nobody reads in time.
const (
	DropOldest = messages.DropOldest
	Block      = messages.Block
)

// Who gets a signal.
const (
	ScopeGroup  = messages.ScopeGroup
	ScopeLeader = messages.ScopeLeader
)

// The states of a process.
const (
	Starting   = messages.Starting
	Running    = messages.Running
	Stopping   = messages.Stopping
	BackingOff = messages.BackingOff
	Exited     = messages.Exited
)

// Why a process ended.
const (
	CauseExited      = messages.CauseExited
	CauseKilled      = messages.CauseKilled
	CauseTimeout     = messages.CauseTimeout
	CauseCrashed     = messages.CauseCrashed
	CauseShutdown    = messages.CauseShutdown
	CauseNotReady    = messages.CauseNotReady
	CauseStartFailed = messages.CauseStartFailed
)

// When a process is started again.
const (
	Never     = supervisor.Never
	OnFailure = supervisor.OnFailure
	Always    = supervisor.Always
)

// Shell returns a Spec that runs line with /bin/sh.
func Shell(line string) Spec { return messages.Shell(line) }

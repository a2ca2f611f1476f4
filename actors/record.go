package actors

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/internal/output"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

const (
	defaultStopSignal = syscall.SIGTERM

	// drainIdle is how long nothing may come, after the leader has exited, for
	// the output to be taken as complete although a descendant holds the pipe.
	drainIdle = 250 * time.Millisecond

	// maxIncarnations is how many ended incarnations are remembered.
	maxIncarnations = 16
)

// state is where a process is in its life; see docs/architecture.md.
type state uint8

const (
	unborn     state = iota
	starting         // its leader is being started
	running          // its leader runs
	stopping         // it was signalled to end; its leader or its tree is left
	draining         // its leader has exited, its last output is being read
	clearing         // its output is complete, what it left behind is being ended
	backingOff       // it waits to be started again
	exited           // it has ended for good, and nothing of it is left
)

var stateNames = []string{"unborn", "starting", "running", "stopping", "draining", "clearing", "backing-off", "exited"}

func (s state) String() string { return stateNames[s] }

// record is one process, whatever happens to the actor that looks after it: it
// is made by the pool and outlives the actor's incarnations.
type record struct {
	mailbox   mailbox // of the actor
	config    *Config
	pool      *mailbox
	id        string
	spec      messages.Spec
	createdAt time.Time
	starter   *actor.PID // who waits for ProcessStarted, nil if nobody does (any more)

	state        state
	log          *output.Log
	failures     []time.Time        // of this actor, the newest
	failed       bool               // it has failed too often
	run          *run               // the present incarnation, nil in backingOff and exited
	last         *osproc.Process    // the newest leader, also after it was reaped
	restarts     int                // how often it was started again
	history      supervisor.History // for the restart policy
	incarnations []messages.Incarnation
	resume       time.Time        // when the next incarnation is due
	backoff      *time.Timer      // in backingOff
	exit         *messages.Exit   // once it has ended for good
	outcome      outcome          // what that took
	wasReady     bool             // the last incarnation that has ended
	kills        *supervisor.Stop // how those want it who have asked to kill it, nil if nobody has
	killing      bool             // what was left alive is being killed
	owesSettled  bool             // the pool is to be told when that is done
	releasing    bool             // the pool has asked for its release
	released     bool             // the pool has asked for its end, after that

	waiters   askers // of WaitExit
	killers   askers // of KillProcess
	reads     waiting[*pendingRead]
	elapsed   int    // reads that were answered because their time was over, and are still in there
	readiness askers // of WaitReady
	monitors  askers
	writes    waiting[*pendingWrite]
}

// run is one incarnation.
type run struct {
	launch  *osproc.Process // what is being started
	process *osproc.Process // the same, once it runs
	begin   int64           // the offset in the log at which it begins
	ready   bool
	probe   *probe
	timeout *time.Timer

	// What is known to have happened.
	status      *osproc.Status // the leader has exited
	outputEnded bool
	drainBy     time.Time // when its output is not awaited any more, though it comes
	outputCut   bool      // though it was still open
	treeGone    bool
	probing     bool // the goroutine of a probe has not ended

	stdinClosed bool          // or its close waits its turn
	writing     *pendingWrite // the write that is under way
	line        int           // bytes of a line that has begun, of what was written to a terminal

	// Its end.
	stop       *supervisor.Stop // it was signalled to end
	overdue    bool             // stop's deadline has passed
	atOnce     bool             // a caller wants it dead, and its output at its end
	leaderOnly bool             // descendants are to live on
	leaves     bool             // and do
	asked      bool             // a caller asked for the stop: no restart
	forgotten  bool             // the pool asked: it is released, or the engine shuts down
	cause      messages.Cause
	reason     string
	startError *messages.Error // it could not be started again
	outcome    outcome
}

// pendingRead is a ReadOutput that waits for output.
type pendingRead struct {
	asker    *actor.PID
	options  messages.ReadOptions
	timer    *time.Timer // nil if it waits as long as it takes
	answered bool
}

func (r *record) command() osproc.Command {
	c := osproc.Command{
		ID: r.id, Path: r.spec.Command, Args: r.spec.Args, Dir: r.spec.Dir,
		Env: r.spec.Env, ClearEnv: r.spec.ClearEnv, Stdin: r.spec.Stdin, Log: r.log,
	}
	if r.spec.PTY != nil {
		c.Terminal = &osproc.Size{Rows: r.spec.PTY.Rows, Cols: r.spec.PTY.Cols}
	}
	return c
}

// public is the state as callers see it.
func (r *record) public() messages.State {
	switch r.state {
	case unborn, starting:
		return messages.Starting
	case running:
		return messages.Running
	case stopping, draining:
		return messages.Stopping
	case backingOff:
		return messages.BackingOff
	case clearing:
		if r.exit == nil {
			return messages.BackingOff
		}
	}
	return messages.Exited
}

func (r *record) info() *messages.Info {
	first, end := r.log.Bounds()
	info := &messages.Info{
		ID: r.id, Name: r.spec.Name, Command: r.spec.Command, Args: slices.Clone(r.spec.Args), Dir: r.spec.Dir, Labels: maps.Clone(r.spec.Labels),
		State: r.public(), Restarts: r.restarts, CreatedAt: r.createdAt, Exit: r.ended(),
		OutputLimit: max(r.log.Limit(), messages.Unlimited), OutputBytes: end,
		Retained: end - first, Dropped: first,
	}
	if len(r.incarnations) > 0 {
		info.Incarnations = append(info.Incarnations, r.incarnations...)
		info.Mark = r.incarnations[len(r.incarnations)-1].Mark
	}
	if r.run != nil {
		info.Ready = r.run.ready && r.run.status == nil
		info.Mark = r.run.begin
		if r.run.stop != nil {
			info.KillAt = r.run.stop.Deadline
		}
	}
	if r.last != nil {
		info.PID, info.StartedAt = r.last.PID, r.last.StartedAt
	}
	return info
}

// ended is how the process ended for good, nil if it has not: a copy for each who
// asks.
func (r *record) ended() *messages.Exit {
	if r.exit == nil {
		return nil
	}
	return r.endedIn(new(messages.Exit))
}

// endedIn is ended, in the memory that it is given.
func (r *record) endedIn(exit *messages.Exit) *messages.Exit {
	if r.exit == nil {
		return nil
	}
	*exit = *r.exit
	return exit
}

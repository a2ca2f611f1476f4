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

	// drainIdle is how long the output must be silent after the leader's exit
	// before it is cut although a descendant holds the pipe.
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

// record is all that is known about one process. The pool makes it, and it outlives
// the incarnations of the process's actor.
type record struct {
	mailbox   mailbox // of the actor
	config    *Config
	pool      *mailbox
	id        string
	spec      messages.Spec
	createdAt time.Time
	starter   *actor.PID // the asker of StartProcess until it is answered, then nil

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
	kills        *supervisor.Stop // how it must be killed, nil if nobody has asked for that
	killing      bool             // what was left alive is being killed
	owesSettled  bool             // the pool must be told when that is done
	releasing    bool             // the pool has asked for its release
	released     bool             // the pool has sent endProcess because of that

	waiters   askers // of WaitExit
	killers   askers // of KillProcess
	reads     waiting[*pendingRead]
	elapsed   int    // reads that were answered because their time was over, and are not removed yet
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
	drainBy     time.Time // when its output is cut even if more comes
	outputCut   bool      // though it was still open
	treeGone    bool
	probing     bool // the goroutine of a probe has not ended

	stdinClosed bool          // or a CloseStdin waits for its turn
	writing     *pendingWrite // the write that is under way
	line        int           // bytes of the unfinished line that was written to a terminal

	// Its end.
	stop       *supervisor.Stop // it was signalled to end
	overdue    bool             // stop's deadline has passed
	atOnce     bool             // a Kill at once: its output is not waited for either
	leaderOnly bool             // its descendants must live on
	leaves     bool             // and they do
	asked      bool             // a caller stopped it: no restart
	forgotten  bool             // the pool asked for it: a release, or a shutdown
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

// public returns the state as callers see it.
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

// ended returns a copy of how the process ended for good, nil if it has not.
func (r *record) ended() *messages.Exit {
	if r.exit == nil {
		return nil
	}
	return r.endedIn(new(messages.Exit))
}

// endedIn is ended, but copies into exit.
func (r *record) endedIn(exit *messages.Exit) *messages.Exit {
	if r.exit == nil {
		return nil
	}
	*exit = *r.exit
	return exit
}

package actors

import (
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
)

// What the two actors tell each other and themselves, besides the protocol.

// endProcess is sent by the pool: end the process, because of a release or a
// shutdown.
type endProcess struct {
	cause    messages.Cause
	deadline time.Time // for SIGKILL; zero: after the process's own grace
	release  bool      // its Spec may let descendants live on
}

// startFailed is sent to the pool: the process could not be started. The pool
// forgets it, and then answers the asker.
type startFailed struct {
	id    string
	asker *actor.PID
	err   *messages.Error
}

// processEnded is sent to the pool: the process has ended for good, its output
// is complete.
type processEnded struct{ id string }

// processSettled is sent to the pool after processEnded: nothing of the process is left,
// and its leader has been reaped. It is sent again if the pool asks for the release
// after that. released reports whether the pool has asked.
type processSettled struct {
	id       string
	outcome  outcome
	released bool
}

// processFailed is sent to the pool: the actor has failed too often. Its process is
// being ended, and it refuses everything until the pool stops it.
type processFailed struct{ id string }

// outcome says what it took to end a process.
type outcome uint8

const (
	endedItself outcome = iota
	terminated
	killed
)

// expire is a message from the pool to itself: the oldest ended process has been
// kept long enough.
type expire struct{}

// leftGone is a message from a process actor to itself: the descendants that
// LeaveDescendants had left alive, and that a Kill had to end, are gone.
type leftGone struct{}

// moreOutput is a message from a process actor to itself: there is new output for
// the readers that wait.
type moreOutput struct{}

// The timers of a process actor. Each is for one incarnation. Whatever has happened
// before a timer fires is reported before its message.
type (
	timeoutElapsed struct{ run *run }
	backoffElapsed struct{}
	readElapses    struct{ read *pendingRead }
	readElapsed    struct{ read *pendingRead }
)

// wrongState logs an event that cannot happen in the present state.
func (p *process) wrongState(event osproc.Event) {
	p.config.log(slog.LevelError, "event in the wrong state", "id", p.id, "state", p.state, "event", event)
}

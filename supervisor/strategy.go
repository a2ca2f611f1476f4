package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The intensity at which a process actor may panic: once more than
// MaxActorRestarts within ActorWindow, and its process is given up.
const (
	MaxActorRestarts = 10
	ActorWindow      = 10 * time.Second
)

// Strategy is what a pool does about a process actor that panics: it alone is
// restarted, however often. On its way out it ends its process tree; its log and
// its history are not its own and survive. One that FailsTooOften refuses
// whatever it is asked, because an actor that is stopped leaves those waiting who
// are in its mailbox.
func Strategy() actor.SupervisorStrategy { return restart{} }

type restart struct{}

// HandleFailure restarts the child.
func (restart) HandleFailure(_ *actor.ActorSystem, s actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	s.RestartChildren(child)
}

// FailsTooOften reports whether an actor that has panicked at these times, the
// last of them now, is to be given up.
func FailsTooOften(failures []time.Time, now time.Time) bool {
	recent := 0
	for _, at := range failures {
		if now.Sub(at) < ActorWindow {
			recent++
		}
	}
	return recent > MaxActorRestarts
}

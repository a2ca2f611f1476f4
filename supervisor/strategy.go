package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// How often a process actor may panic. If it panics more than MaxActorRestarts
// times within ActorWindow, its process is given up.
const (
	MaxActorRestarts = 10
	ActorWindow      = 10 * time.Second
)

// Strategy returns what a pool does when a process actor panics: it restarts that
// actor and no other, however often. The failing incarnation of the actor ends its
// process tree. The log and the history survive, because they belong to the record.
// An actor that FailsTooOften is not stopped but refuses every request: if it were
// stopped, the requests in its mailbox would never be answered.
func Strategy() actor.SupervisorStrategy { return restart{} }

type restart struct{}

// HandleFailure restarts the child.
func (restart) HandleFailure(_ *actor.ActorSystem, s actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	s.RestartChildren(child)
}

// FailsTooOften reports whether an actor must be given up that has panicked at
// these times, the last of which is now.
func FailsTooOften(failures []time.Time, now time.Time) bool {
	recent := 0
	for _, at := range failures {
		if now.Sub(at) < ActorWindow {
			recent++
		}
	}
	return recent > MaxActorRestarts
}

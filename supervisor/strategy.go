package supervisor

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The intensity at which a process actor may panic: one more than
// MaxActorRestarts within ActorWindow, and it is stopped instead of restarted.
const (
	MaxActorRestarts = 10
	ActorWindow      = 10 * time.Second
)

// Strategy is what a pool does about a process actor that panics: it alone is
// restarted. On its way out it ends its process tree; its log and its history
// are not its own and survive.
func Strategy() actor.SupervisorStrategy {
	return actor.NewOneForOneStrategy(MaxActorRestarts, ActorWindow, actor.DefaultDecider)
}

package procession

import (
	"github.com/asynkron/protoactor-go/actor"
)

// reply is the address to which one answer is sent. It does what actor.Future
// does, without its faults: it can be waited for together with a context, and
// answers may race (a Future is written to without a lock).
type reply struct {
	system *actor.ActorSystem
	pid    *actor.PID
	answer chan any
}

func newReply(system *actor.ActorSystem) *reply {
	r := &reply{system: system, answer: make(chan any, 1)}
	r.pid, _ = system.ProcessRegistry.Add(r, "procession-reply"+system.ProcessRegistry.NextId())
	return r
}

func (r *reply) close() { r.system.ProcessRegistry.Remove(r.pid) }

// SendUserMessage takes the first answer, and drops what follows.
func (r *reply) SendUserMessage(_ *actor.PID, message any) {
	_, message, _ = actor.UnwrapEnvelope(message)
	select {
	case r.answer <- message:
	default:
	}
}

// SendSystemMessage drops it: a reply has no life cycle.
func (r *reply) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing.
func (r *reply) Stop(*actor.PID) {}

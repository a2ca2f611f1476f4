package procession

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// reply is the address to which one answer is sent. It does what actor.Future
// does, without its faults: it can be waited for together with a context, and
// answers may race (a Future is written to without a lock).
//
// One that has got its answer is used again, because registering an address is
// what is dear about a request: every request is answered exactly once.
type reply struct {
	pid    *actor.PID
	answer chan any
}

// replies are the addresses of an engine that wait to be used again.
type replies struct {
	system *actor.ActorSystem
	idle   chan *reply
	closed atomic.Bool
}

// idleReplies is how many addresses are kept.
const idleReplies = 128

func newReplies(system *actor.ActorSystem) *replies {
	return &replies{system: system, idle: make(chan *reply, idleReplies)}
}

func (s *replies) get() *reply {
	select {
	case r := <-s.idle:
		return r
	default:
	}
	r := &reply{answer: make(chan any, 1)}
	r.pid, _ = s.system.ProcessRegistry.Add(r, "procession-reply"+s.system.ProcessRegistry.NextId())
	return r
}

// put takes r back; answered says whether it has got its answer.
func (s *replies) put(r *reply, answered bool) {
	if answered && !s.closed.Load() {
		select {
		case s.idle <- r:
			if s.closed.Load() {
				s.close()
			}
			return
		default:
		}
	}
	s.system.ProcessRegistry.Remove(r.pid)
}

// close forgets the addresses that are kept, and keeps none any more.
func (s *replies) close() {
	s.closed.Store(true)
	for {
		select {
		case r := <-s.idle:
			s.system.ProcessRegistry.Remove(r.pid)
		default:
			return
		}
	}
}

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

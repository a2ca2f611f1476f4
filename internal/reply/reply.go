// Package reply has the addresses at which the engine itself waits for answers. They
// do what actor.Future does, and two things better: a caller can wait for an answer
// and for a context at the same time, and answers may race (a Future is written
// without a lock).
package reply

import (
	"sync/atomic"

	"github.com/asynkron/protoactor-go/actor"
)

// Address is where one answer is sent to. It may be answered in the turn of an actor,
// because that does not block and calls no foreign code. An address is used again after its
// answer, because registering addresses is expensive. That is safe: every request is
// answered exactly once.
type Address struct {
	PID    *actor.PID
	answer chan any
}

// Addresses are the addresses of an engine that can be used again.
type Addresses struct {
	system *actor.ActorSystem
	idle   chan *Address
	closed atomic.Bool
}

// maxIdle is how many addresses are kept.
const maxIdle = 128

// NewAddresses returns Addresses for an actor system.
func NewAddresses(system *actor.ActorSystem) *Addresses {
	return &Addresses{system: system, idle: make(chan *Address, maxIdle)}
}

// Get returns an address that nobody else uses.
func (s *Addresses) Get() *Address {
	select {
	case a := <-s.idle:
		return a
	default:
	}
	a := &Address{answer: make(chan any, 1)}
	a.PID = Register(s.system, a, "procession-reply")
	return a
}

// Register registers a process under a unique name.
func Register(system *actor.ActorSystem, process actor.Process, prefix string) *actor.PID {
	for {
		if pid, absent := system.ProcessRegistry.Add(process, prefix+system.ProcessRegistry.NextId()); absent {
			return pid
		}
	}
}

// Put gives a back. answered says whether it has got its answer.
func (s *Addresses) Put(a *Address, answered bool) {
	if answered && !s.closed.Load() {
		select {
		case s.idle <- a:
			if s.closed.Load() {
				s.Close()
			}
			return
		default:
		}
	}
	s.system.ProcessRegistry.Remove(a.PID)
}

// Close forgets the addresses that are kept. No address is kept from then on.
func (s *Addresses) Close() {
	s.closed.Store(true)
	for {
		select {
		case a := <-s.idle:
			s.system.ProcessRegistry.Remove(a.PID)
		default:
			return
		}
	}
}

// Answered returns a channel that gets the answer.
func (a *Address) Answered() <-chan any { return a.answer }

// Answer takes the first answer, and drops later ones.
func (a *Address) Answer(message any) {
	select {
	case a.answer <- message:
	default:
	}
}

// SendUserMessage is Answer, for whoever knows the address only.
func (a *Address) SendUserMessage(_ *actor.PID, message any) {
	_, message, _ = actor.UnwrapEnvelope(message)
	a.Answer(message)
}

// SendSystemMessage drops it: an address has no life cycle.
func (a *Address) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing.
func (a *Address) Stop(*actor.PID) {}

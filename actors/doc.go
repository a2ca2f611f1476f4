// Package actors holds Procession's two actors: the pool, which routes and
// supervises, and the process actor, which looks after one process. Both speak
// the protocol of package messages.
//
// A process actor is a state machine that never blocks. It answers every query in
// every state; all waiting is done elsewhere, and its result comes by message. What
// must survive a panic of the actor is in its record, which is not part of the
// actor.
package actors

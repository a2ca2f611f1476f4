// Package actors holds Procession's two actors: the pool, which routes and
// supervises, and the process actor, which looks after one process. Both speak
// the protocol of package messages.
//
// A process actor is a state machine that never blocks: it answers every query
// in every state, and all waiting is done elsewhere and reported to it by
// message. What must survive a panic of the actor is its record, which is not
// part of it.
package actors

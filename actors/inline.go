package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// Who asks the engine, and waits for the answer, may as well run the turns that lead to it:
// the pool's, and then that of the process it asks about. That saves two changes of
// goroutine, which take longer than most answers. It runs them if nobody else does, and only
// light ones: those that ask nothing of the operating system, which knows the caller's thread
// by its user and its namespaces, and that speak to one actor, not to all. Of what comes from
// others it runs a little, to get to its own. The rest is for a worker.
//
// A turn never runs another: the caller runs one after the other, so that its stack has one
// turn at the most, and no actor is given something in the middle of a turn.

const (
	// maxOthers is how many turns a caller runs for others.
	maxOthers = 16

	// maxInline is how long it does that.
	maxInline = 100 * time.Microsecond
)

// Ask sends a request to the pool, which has been spawned. The caller waits for the answer to
// asker, until ctx ends, and may run turns now. It is answered even if the pool has stopped.
func (c *Config) Ask(ctx context.Context, request any, asker *actor.PID) {
	envelope := &actor.MessageEnvelope{Message: request, Sender: asker}
	if !c.pool.push(&c.pool.user, envelope) {
		return
	}
	for m := c.pool; m != nil; m = m.runFor(ctx, envelope) {
	}
}

// Send is Ask for who does not wait.
func (c *Config) Send(request any, asker *actor.PID) { c.pool.ask(request, asker) }

// runFor runs turns up to that of a request. It answers where the actor has forwarded that
// to, if the caller is to go on there.
func (m *mailbox) runFor(ctx context.Context, request any) (onward *mailbox) {
	m.own = request
	var begun time.Time
	others := 0
	mayRun := func(message any) bool {
		if message == request {
			return m.isLight(message)
		}
		if others++; others == 1 {
			begun = time.Now()
		}
		return others <= maxOthers && m.isLight(message) && ctx.Err() == nil && time.Since(begun) < maxInline
	}
	for {
		message, _, ok := m.next(mayRun)
		if !ok {
			return nil // another goroutine runs them, or nobody may
		}
		if m.turn(message, false); message == request {
			break
		}
	}
	onward, m.onward = m.onward, nil
	m.next(func(any) bool { return false })
	return onward
}

// forward gives another actor what this one has in hand.
func (m *mailbox) forward(to *mailbox) {
	switch isRunner := to.push(&to.user, m.inHand); {
	case !isRunner:
	case m.inHand == m.own:
		m.onward = to
	default:
		to.config.workers.run(to)
	}
}

// isLightForPool reports whether who waits for an answer may run a turn of the pool.
func isLightForPool(message any) bool {
	switch actor.UnwrapEnvelopeMessage(message).(type) {
	case *messages.StartProcess, *messages.ReleaseProcess,
		*messages.GetOutput, *messages.ReadOutput, *messages.WaitExit, *messages.WaitReady, *messages.KillProcess,
		*messages.GetInfo, *messages.WriteStdin, *messages.CloseStdin, *messages.ResizeTerminal, *messages.SendSignal,
		*messages.Monitor, *messages.Demonitor, *messages.Cancel, *processEnded, *processSettled:
		return true
	}
	return false
}

// isLightForProcess is isLightForPool for the actor of a process.
func isLightForProcess(message any) bool {
	switch actor.UnwrapEnvelopeMessage(message).(type) {
	case *messages.GetInfo, *messages.GetOutput, *messages.ReadOutput, *messages.WaitExit, *messages.WaitReady,
		*messages.Monitor, *messages.Demonitor:
		return true
	}
	return false
}

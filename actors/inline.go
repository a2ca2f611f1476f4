package actors

import (
	"context"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// A caller that waits for an answer can itself run the turns that lead to the answer: that of
// the pool, and then that of the process. That saves two switches between goroutines, which
// take longer than most answers. The caller runs turns only if nobody else runs them, and
// only light turns. A light turn makes no system call that depends on the user or the
// namespaces of the caller's thread, and speaks to one actor only. To get to its own request,
// the caller runs a few turns for others. A worker runs the rest.
//
// A turn never runs another turn. The caller runs one after the other, so its stack holds
// one turn at most, and no actor gets a message in the middle of a turn.

const (
	// maxOthers is how many turns a caller runs for others.
	maxOthers = 16

	// maxInline is how long a caller does that.
	maxInline = 100 * time.Microsecond
)

// Ask sends a request to the pool, which must have been spawned. The caller waits for the
// answer to asker until ctx ends, so Ask may run turns on its goroutine. The request is
// answered even if the pool has stopped.
func (c *Config) Ask(ctx context.Context, request any, asker *actor.PID) {
	envelope := &actor.MessageEnvelope{Message: request, Sender: asker}
	if !c.pool.push(&c.pool.user, envelope) {
		return
	}
	for m := c.pool; m != nil; m = m.runFor(ctx, envelope) {
	}
}

// Send is Ask for a caller that does not wait.
func (c *Config) Send(request any, asker *actor.PID) { c.pool.ask(request, asker) }

// runFor runs turns up to that of a request. If the actor has forwarded the request, and
// the caller can go on there, runFor returns the mailbox that it was forwarded to.
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

// forward forwards the message that this actor is handling.
func (m *mailbox) forward(to *mailbox) {
	switch isRunner := to.push(&to.user, m.inHand); {
	case !isRunner:
	case m.inHand == m.own:
		m.onward = to
	default:
		to.config.workers.run(to)
	}
}

// isLightForPool reports whether a turn of the pool is light.
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

// isLightForProcess is isLightForPool for a process actor.
func isLightForProcess(message any) bool {
	switch actor.UnwrapEnvelopeMessage(message).(type) {
	case *messages.GetInfo, *messages.GetOutput, *messages.ReadOutput, *messages.WaitExit, *messages.WaitReady,
		*messages.Monitor, *messages.Demonitor:
		return true
	}
	return false
}

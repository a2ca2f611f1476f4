package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// mailbox leaves nobody without an answer: what it still holds when its actor has
// stopped, and what it gets after that, is refused. The actor system drops it
// silently otherwise.
type mailbox struct {
	actor.Mailbox
	actor.MessageInvoker
	system *actor.ActorSystem // set once the actor has stopped
}

// props are those of an actor that has m for its mailbox.
func (m *mailbox) props(producer actor.Producer, options ...actor.PropsOption) *actor.Props {
	options = append(options, actor.WithMailbox(func() actor.Mailbox {
		m.Mailbox = unbounded()
		return m
	}))
	return actor.PropsFromProducer(producer, options...)
}

var unbounded = actor.Unbounded()

// stop is the last act of the actor. If that has failed, what the mailbox holds was
// suspended.
func (m *mailbox) stop(system *actor.ActorSystem) {
	m.system = system
	m.PostSystemMessage(&actor.ResumeMailbox{})
}

// RegisterHandlers puts itself before the actor.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.MessageInvoker = invoker
	m.Mailbox.RegisterHandlers(m, dispatcher)
}

// InvokeUserMessage hands a message to the actor, or refuses it.
func (m *mailbox) InvokeUserMessage(message any) {
	if m.system == nil {
		m.MessageInvoker.InvokeUserMessage(message)
		return
	}
	_, request, asker := actor.UnwrapEnvelope(message)
	if _, unanswered := request.(*messages.Cancel); !unanswered {
		answer(m.system, asker, &messages.Error{Code: messages.CodeClosed, Message: messages.ErrClosed.Error()})
	}
}

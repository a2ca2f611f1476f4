package actors

import (
	"fmt"
	"reflect"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// mailbox stands between an actor and everybody who can send to it. It refuses what only
// the actor system may say, and what is nothing; and it leaves nobody without an answer:
// what it still holds when its actor has stopped, and what it gets after that, is refused,
// while the actor system drops it silently.
type mailbox struct {
	actor.Mailbox
	actor.MessageInvoker
	config  *Config
	inHand  any  // what the actor is given at present, with its sender
	stopped bool // the actor has
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

// post is how the engine itself sends to the actor: nobody's middleware is asked, and if
// the actor has stopped nobody is told of a dead letter.
func (m *mailbox) post(message any) { m.Mailbox.PostUserMessage(message) }

// ask is post, and the answer goes to asker.
func (m *mailbox) ask(message any, asker *actor.PID) {
	m.post(&actor.MessageEnvelope{Message: message, Sender: asker})
}

// stop is the last act of the actor. If that has failed, what the mailbox holds was
// suspended.
func (m *mailbox) stop() {
	m.stopped = true
	m.PostSystemMessage(&actor.ResumeMailbox{})
}

// RegisterHandlers puts itself before the actor.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, dispatcher actor.Dispatcher) {
	m.MessageInvoker = invoker
	m.Mailbox.RegisterHandlers(m, dispatcher)
}

// PostUserMessage takes a message from anybody. A mailbox counts nil, and looks for it for
// ever.
func (m *mailbox) PostUserMessage(message any) {
	if isNil(message) {
		return // there is nobody to tell
	}
	batch, isBatch := message.(actor.MessageBatch)
	if envelope, wrapped := message.(*actor.MessageEnvelope); wrapped {
		batch, isBatch = envelope.Message.(actor.MessageBatch)
	}
	if !isBatch {
		m.Mailbox.PostUserMessage(message)
		return
	}
	for _, each := range batch.GetMessages() {
		m.PostUserMessage(each)
	}
}

// PostSystemMessage takes a message from the actor system.
func (m *mailbox) PostSystemMessage(message any) {
	if !isNil(message) {
		m.Mailbox.PostSystemMessage(message)
	}
}

// InvokeUserMessage hands a message to the actor, or refuses it.
func (m *mailbox) InvokeUserMessage(message any) {
	_, request, asker := actor.UnwrapEnvelope(message)
	switch _, unanswered := request.(*messages.Cancel); {
	case m.stopped && unanswered:
	case m.stopped:
		m.config.outbox.send(asker, &messages.Error{Code: messages.CodeClosed, Message: messages.ErrClosed.Error()})
	case isNil(request):
		m.refuse(asker, fmt.Sprintf("%T is nil", request))
	case isTheSystems(request):
		m.refuse(asker, fmt.Sprintf("%T is said by the actor system alone", request))
	default:
		m.inHand = message
		m.MessageInvoker.InvokeUserMessage(message)
		m.inHand = nil
	}
}

func (m *mailbox) refuse(asker *actor.PID, why string) {
	m.config.outbox.send(asker, &messages.Error{Code: messages.CodeInvalidRequest, Message: why})
}

// isNil reports whether a message is nothing, or a pointer to nothing.
func isNil(message any) bool {
	v := reflect.ValueOf(message)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// isTheSystems reports whether a message, which somebody has sent, is one that only the
// actor system sends, or acts upon by itself. A PoisonPill is how anybody stops an actor.
func isTheSystems(message any) bool {
	switch message.(type) {
	case *actor.PoisonPill:
		return false
	case actor.SystemMessage, actor.AutoReceiveMessage, actor.MailboxMessage, actor.InfrastructureMessage, actor.AutoRespond, *actor.ReceiveTimeout:
		return true
	}
	return false
}

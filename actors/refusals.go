package actors

import (
	"fmt"
	"reflect"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// refuses refuses a message that the actor must not get. It reports whether it has
// refused it.
func (m *mailbox) refuses(message any) bool {
	_, request, asker := actor.UnwrapEnvelope(message)
	switch {
	case isNil(request):
		m.refuse(asker, whyNil(request))
	case isTheSystems(request):
		m.refuse(asker, fmt.Sprintf("only the actor system may send %T", request))
	default:
		return false
	}
	return true
}

// tooLate answers a message for an actor that has stopped. Some messages between the
// engine's actors carry the rest of an answer, which is still given.
func (m *mailbox) tooLate(isSystem bool, message any) {
	if watch, is := message.(*actor.Watch); is && isSystem && watch.Watcher != nil {
		m.config.outbox.tell(nil, watch.Watcher, &actor.Terminated{Who: m.stopped})
	}
	if isSystem {
		return
	}
	_, request, asker := actor.UnwrapEnvelope(message)
	answer := &messages.Error{Code: messages.CodeClosed, Message: messages.ErrClosed.Error()}
	switch r := request.(type) {
	case *messages.Cancel: // which is not answered
		return
	case *startFailed:
		asker, answer = r.asker, r.err
	case *selected:
		asker = r.asker
	case *written:
		asker, answer = r.tooLate()
	}
	m.config.outbox.send(asker, answer)
}

// isForged reports whether a message looks like one of the actor system, but lacks
// what the system always sets.
func isForged(message any) bool {
	switch m := message.(type) {
	case *actor.Terminated:
		return m.Who == nil
	case *actor.Failure:
		return m.Who == nil || m.RestartStats == nil
	}
	return false
}

func (m *mailbox) refuse(asker *actor.PID, why string) {
	m.config.outbox.send(asker, &messages.Error{Code: messages.CodeInvalidRequest, Message: why})
}

// whyNil says what is wrong with a message that is nil.
func whyNil(message any) string {
	if message == nil {
		return "the message is nil"
	}
	return fmt.Sprintf("%T is a nil pointer: a request is a pointer to a value", message)
}

// isNil reports whether a message is nil or a nil pointer.
func isNil(message any) bool {
	v := reflect.ValueOf(message)
	return !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil()
}

// isTheSystems reports whether a message is one that only the actor system may send, or
// that the system acts upon by itself. PoisonPill is not: anybody may stop an actor with
// it.
func isTheSystems(message any) bool {
	switch message.(type) {
	case *actor.PoisonPill:
		return false
	case actor.SystemMessage, actor.AutoReceiveMessage, actor.MailboxMessage, actor.InfrastructureMessage, actor.AutoRespond, *actor.ReceiveTimeout:
		return true
	}
	return false
}

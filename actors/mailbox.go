package actors

import (
	"errors"
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox holds the messages for an actor, and has its turns run: by a worker, or by a
// caller that waits for an answer (workers.go, inline.go). It refuses nil, and messages
// that only the actor system may send. It leaves no request without an answer: what it
// still holds when its actor has stopped, and what it gets after that, is refused
// (refusals.go).
type mailbox struct {
	config  *Config
	isLight func(message any) bool // a caller that waits for an answer may run its turn
	made    bool                   // a mailbox was asked for

	mu        sync.Mutex
	actor     actor.MessageInvoker // nil until the actor can take messages
	system    queue                // messages of the actor system, which come first
	user      queue
	suspended bool       // the actor has failed, and its supervisor decides what comes next
	running   bool       // somebody runs its turns
	stopped   *actor.PID // the actor, once it has stopped

	// For whoever runs its turns.
	watchers []*actor.PID // actors of others that must be told when it stops
	inHand   any          // the message that the actor is handling, with its sender
	own      any          // the request whose answer the goroutine that runs the turns waits for, if any
	onward   *mailbox     // where own was forwarded to, if nobody else runs the turns there
}

// props returns the props of an actor with the mailbox m.
func (m *mailbox) props(producer actor.Producer, options ...actor.PropsOption) *actor.Props {
	options = append(options, actor.WithMailbox(func() actor.Mailbox {
		m.made = true
		return m
	}))
	return actor.PropsFromProducer(producer, options...)
}

// RegisterHandlers is called when the actor is spawned. Messages that came before its first
// message are held until then. The dispatcher is ignored.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.actor = invoker
}

// Start is called when the actor has been spawned.
func (m *mailbox) Start() {}

// UserMessageCount returns how many messages wait for the actor.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.user.count()
}

// PostUserMessage takes a message from anybody. It drops nil, because nil has no
// sender to answer.
func (m *mailbox) PostUserMessage(message any) {
	if isNil(message) {
		return
	}
	batch, isBatch := message.(actor.MessageBatch)
	if envelope, wrapped := message.(*actor.MessageEnvelope); wrapped {
		batch, isBatch = envelope.Message.(actor.MessageBatch)
	}
	if !isBatch {
		m.post(message)
		return
	}
	for _, each := range batch.GetMessages() {
		m.PostUserMessage(each)
	}
}

// PostSystemMessage takes a message from the actor system.
func (m *mailbox) PostSystemMessage(message any) {
	if !isNil(message) && m.push(&m.system, message) {
		m.config.workers.run(m)
	}
}

// post is how the engine itself sends a message to the actor: past all middlewares, and
// without a dead letter if the actor has stopped.
func (m *mailbox) post(message any) {
	if m.push(&m.user, message) {
		m.config.workers.run(m)
	}
}

// ask is post, and the answer goes to asker.
func (m *mailbox) ask(message any, asker *actor.PID) {
	m.post(&actor.MessageEnvelope{Message: message, Sender: asker})
}

// push adds a message. It returns whether the caller must run the turns of the actor,
// because there is something to do and nobody else runs them.
func (m *mailbox) push(to *queue, message any) (isRunner bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.stopped != nil {
		m.tooLate(to == &m.system, message)
		return false
	}
	to.push(message)
	if m.running || m.actor == nil || m.suspended && to == &m.user {
		return false
	}
	m.running = true
	return true
}

// next returns the next message for the actor. If there is none, or if only says that the
// caller must not run that turn, the caller no longer runs the turns of the actor.
func (m *mailbox) next(only func(message any) bool) (message any, isSystem, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := &m.system
	if q.count() == 0 && !m.suspended {
		q = &m.user
	}
	switch {
	case q.count() == 0:
		m.running = false
		return nil, false, false
	case only != nil && (q == &m.system || !only(q.first())):
		m.config.workers.run(m)
		return nil, false, false
	}
	return q.pop(), q == &m.system, true
}

// run runs turns as long as there is something to do.
func (m *mailbox) run() {
	m.own = nil
	for message, isSystem, ok := m.next(nil); ok; message, isSystem, ok = m.next(nil) {
		m.turn(message, isSystem)
	}
}

// turn gives the actor a message. If that fails, by a panic or by a middleware that
// ends the goroutine, the supervisor is told.
func (m *mailbox) turn(message any, isSystem bool) {
	over := false
	defer func() {
		if over {
			return
		}
		reason := recover()
		if reason == nil {
			reason = errGoexit
			defer m.config.workers.run(m)
		}
		m.inHand = nil
		m.actor.EscalateFailure(reason, message)
	}()
	switch {
	case !isSystem:
		m.give(message)
	case !m.suspends(message) && !m.watches(message) && !isForged(message):
		m.actor.InvokeSystemMessage(message)
	}
	over = true
}

var errGoexit = errors.New("it has ended the goroutine (runtime.Goexit)")

// suspends reports whether a message is for the mailbox itself: it suspends the messages of
// others, or resumes them.
func (m *mailbox) suspends(message any) bool {
	_, suspend := message.(*actor.SuspendMailbox)
	_, resume := message.(*actor.ResumeMailbox)
	if suspend || resume {
		m.mu.Lock()
		m.suspended = suspend
		m.mu.Unlock()
	}
	return suspend || resume
}

// watches reports whether a message says that another actor watches this one, or no longer
// does. The mailbox keeps the watchers, because the actor system would tell them in the
// actor's last turn.
func (m *mailbox) watches(message any) bool {
	switch w := message.(type) {
	case *actor.Watch:
		if w.Watcher != nil {
			m.watchers = append(m.watchers, w.Watcher)
		}
	case *actor.Unwatch:
		m.watchers = slices.DeleteFunc(m.watchers, func(each *actor.PID) bool { return each.Equal(w.Watcher) })
	default:
		return false
	}
	return true
}

// give gives the actor a message of a sender, or refuses it.
func (m *mailbox) give(message any) {
	if m.refuses(message) {
		return
	}
	m.inHand = message
	m.actor.InvokeUserMessage(message)
	m.inHand = nil
}

// stop is the last thing that the actor does. From now on the mailbox answers what it holds
// and what it gets without the actor: in the rest of the last turn the actor system tells
// other actors.
func (m *mailbox) stop(self *actor.PID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stopped = self
	for _, watcher := range m.watchers {
		m.config.outbox.tell(nil, watcher, &actor.Terminated{Who: self})
	}
	for m.system.count() > 0 {
		m.tooLate(true, m.system.pop())
	}
	for m.user.count() > 0 {
		m.tooLate(false, m.user.pop())
	}
}

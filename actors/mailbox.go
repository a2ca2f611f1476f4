package actors

import (
	"errors"
	"slices"
	"sync"

	"github.com/asynkron/protoactor-go/actor"
)

// mailbox holds what an actor has been sent, and has its turns run: by a worker, or by who
// waits for an answer; see workers.go and inline.go.
// It refuses what only the actor system may say, and what is nothing; and it leaves nobody
// without an answer: what it still holds when its actor has stopped, and what it gets after
// that, is refused; see refusals.go.
type mailbox struct {
	config  *Config
	isLight func(message any) bool // its turn may be run by who waits for an answer
	made    bool                   // it was asked for

	mu        sync.Mutex
	actor     actor.MessageInvoker // nil until it can be given something
	system    queue                // what the actor system says, which comes first
	user      queue
	suspended bool       // the actor has failed, and its supervisor decides what comes next
	running   bool       // somebody runs its turns
	stopped   *actor.PID // the actor, once it has stopped

	// Of who runs its turns.
	watchers []*actor.PID // actors of others that are to be told when it stops
	inHand   any          // what the actor is given at present, with its sender
	own      any          // the request that who runs them waits for, if anybody does
	onward   *mailbox     // where that was forwarded to, if nobody else runs the turns there
}

// props are those of an actor that has m for its mailbox.
func (m *mailbox) props(producer actor.Producer, options ...actor.PropsOption) *actor.Props {
	options = append(options, actor.WithMailbox(func() actor.Mailbox {
		m.made = true
		return m
	}))
	return actor.PropsFromProducer(producer, options...)
}

// RegisterHandlers is called when the actor is spawned. Its first message follows, and what
// has come before is held until then. Nobody's dispatcher runs its turns.
func (m *mailbox) RegisterHandlers(invoker actor.MessageInvoker, _ actor.Dispatcher) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.actor = invoker
}

// Start is called when the actor has been spawned.
func (m *mailbox) Start() {}

// UserMessageCount is how much the actor has not been given yet.
func (m *mailbox) UserMessageCount() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.user.count()
}

// PostUserMessage takes a message from anybody; of nil there is nobody to tell.
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

// post is how the engine itself sends to the actor: nobody's middleware is asked, and if
// the actor has stopped nobody is told of a dead letter.
func (m *mailbox) post(message any) {
	if m.push(&m.user, message) {
		m.config.workers.run(m)
	}
}

// ask is post, and the answer goes to asker.
func (m *mailbox) ask(message any, asker *actor.PID) {
	m.post(&actor.MessageEnvelope{Message: message, Sender: asker})
}

// push adds a message. It answers whether the turns of the actor are to be run by who asks,
// because there is something to do and nobody else does it.
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

// next is what the actor is to be given next. If that is nothing, or if only says that who
// asks is not to run that turn, it runs the turns of the actor no more.
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

// turn gives the actor a message. If that fails, because of a panic or of somebody's
// middleware that ends the goroutine, its supervisor is told.
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

// suspends reports whether a message is for the mailbox itself: the actor gets nothing more
// from others, or it does again.
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

// watches reports whether a message is that somebody watches the actor, or does no more. That
// is kept here, because the actor system would tell them in the last turn.
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

// give gives the actor a message of somebody's, or refuses it.
func (m *mailbox) give(message any) {
	if m.refuses(message) {
		return
	}
	m.inHand = message
	m.actor.InvokeUserMessage(message)
	m.inHand = nil
}

// stop is the last act of the actor. What the mailbox holds, and what it gets from now on, is
// answered without it: the rest of the last turn is the actor system's, which tells others.
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

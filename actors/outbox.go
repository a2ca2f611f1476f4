package actors

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/reply"
	"github.com/procession-go/procession/messages"
)

// outbox delivers what leaves the engine: answers to actors that are not its own, events,
// and lines of the log. Goroutines of its own deliver, never those of the engine's actors.
// Each receiver gets its messages in order, independently of the others: one that blocks,
// panics or ends its goroutine harms only itself. The subscribers of the system's
// EventStream are one receiver, because the stream calls one after the other. So is the
// log, whose handler is the caller's code.
type outbox struct {
	system *actor.ActorSystem
	root   *actor.RootContext // without the user's middlewares
	logger *slog.Logger

	mu        sync.Mutex
	lanes     map[string]*lane // by receiver, of those for whom something waits
	listeners map[*listener]bool
}

// lane is what waits for one receiver.
type lane struct {
	name    string
	waiting []parcel
	begun   time.Time // when the receiver was given the message before
	told    bool      // that it is slow
	lost    int
}

// parcel is a message for an actor, or an event for the EventStream, or a line of the log.
type parcel struct {
	to          *actor.PID
	message     any
	system      actor.SystemMessage // instead of message
	incarnation *actor.ActorProcess // the receiver, if not whoever has the address
	line        *line
}

type line struct {
	level slog.Level
	text  string
	args  []any
}

// listener is called with each event at once.
type listener struct{ put func(messages.Event) }

const (
	// maxWaiting is the most that may wait for one receiver; anything more is lost.
	maxWaiting = 1 << 16

	// slow is how long a receiver may take for one message before that is logged.
	slow = 10 * time.Second

	eventStream = "the event stream"
	theLog      = "the log"
)

func newOutbox(system *actor.ActorSystem, logger *slog.Logger) *outbox {
	return &outbox{
		system: system, root: actor.NewRootContext(system, nil), logger: logger,
		lanes: map[string]*lane{}, listeners: map[*listener]bool{},
	}
}

// send sends a message to an address, which may be nil.
func (o *outbox) send(to *actor.PID, message any) {
	if to == nil {
		return
	}
	switch own := o.local(to).(type) {
	case *reply.Address:
		own.Answer(message)
	case *gather:
		own.Answer(message)
	default:
		o.put(address(to), parcel{to: to, message: message})
	}
}

// local returns the process of this system that has an address. It is nil if there is none,
// or if the address is one of another system: to look that up, code of others may run.
func (o *outbox) local(pid *actor.PID) actor.Process {
	if !isLocal(o.system, pid) {
		return nil
	}
	process, _ := o.system.ProcessRegistry.GetLocal(pid.Id)
	return process
}

// tell sends a message of the actor system to an incarnation of an actor. If incarnation is
// nil, it goes to whoever has the address.
func (o *outbox) tell(incarnation *actor.ActorProcess, pid *actor.PID, message actor.SystemMessage) {
	o.put(address(pid), parcel{to: pid, system: message, incarnation: incarnation})
}

// publish gives an event to the engine's listeners, and to the subscribers of the
// system's EventStream.
func (o *outbox) publish(event messages.Event) {
	o.mu.Lock()
	for l := range o.listeners {
		l.put(event)
	}
	o.mu.Unlock()
	o.put(eventStream, parcel{message: event})
}

// log writes a line to the log.
func (o *outbox) log(level slog.Level, text string, args ...any) {
	o.put(theLog, parcel{line: &line{level, text, args}})
}

// listen has put called with each event, one after the other, until stop is called.
// put must not block.
func (o *outbox) listen(put func(messages.Event)) (stop func()) {
	l := &listener{put}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.listeners[l] = true
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.listeners, l)
	}
}

func (o *outbox) put(name string, p parcel) {
	if trouble := o.add(name, p); trouble != "" && name != theLog {
		o.log(slog.LevelError, trouble, "receiver", name)
	}
}

// add adds a parcel to a lane. It returns what must be logged about the receiver,
// or "".
func (o *outbox) add(name string, p parcel) (trouble string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	l := o.lanes[name]
	if l == nil {
		l = &lane{name: name, begun: time.Now()}
		o.lanes[name] = l
		go o.deliver(l)
	}
	if len(l.waiting) < maxWaiting {
		l.waiting = append(l.waiting, p)
	} else if l.lost++; l.lost == 1 {
		return "a receiver loses messages"
	}
	if !l.told && time.Since(l.begun) > slow {
		l.told = true
		return "a receiver is slow"
	}
	return ""
}

// next returns the next parcel of a lane; ok is false if there is none.
func (o *outbox) next(l *lane) (p parcel, ok bool) {
	o.mu.Lock()
	if ok = len(l.waiting) > 0; ok {
		p, l.waiting[0] = l.waiting[0], parcel{}
		l.waiting, l.begun = l.waiting[1:], time.Now()
	} else {
		delete(o.lanes, l.name)
	}
	o.mu.Unlock()
	if !ok && l.lost > 0 && l.name != theLog {
		o.log(slog.LevelError, "a receiver has lost messages", "receiver", l.name, "lost", l.lost)
	}
	return p, ok
}

// deliver delivers what waits in a lane. If the receiver's code panics, or ends the
// goroutine, another goroutine goes on.
func (o *outbox) deliver(l *lane) {
	var p parcel
	ok := true
	defer func() {
		if !ok {
			return
		}
		reason := recover()
		if reason == nil {
			reason = "it has ended the goroutine (runtime.Goexit)"
		}
		if l.name != theLog {
			o.log(slog.LevelError, "a receiver has failed", "receiver", l.name, "message", fmt.Sprintf("%T", p.message), "reason", reason, "stack", string(debug.Stack()))
		}
		go o.deliver(l)
	}()
	for p, ok = o.next(l); ok; p, ok = o.next(l) {
		switch {
		case p.line != nil:
			o.logger.Log(context.Background(), p.line.level, p.line.text, p.line.args...)
		case p.to == nil:
			o.system.EventStream.Publish(p.message)
		case p.incarnation != nil:
			p.incarnation.SendSystemMessage(p.to, p.system)
		case p.system != nil:
			process, _ := o.system.ProcessRegistry.Get(p.to)
			process.SendSystemMessage(p.to, p.system)
		default:
			o.root.Send(p.to, p.message)
		}
	}
}

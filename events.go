package procession

import (
	"context"
	"iter"
	"sync"

	"github.com/procession-go/procession/messages"
)

// eventsKept is how many events wait for a listener at the most.
const eventsKept = 1024

// Events yields what happens to the engine's processes from now on, in order for
// each process, until the context ends or the engine has shut down. The types
// are in package messages, see messages.Event. A listener that is too slow loses
// the oldest of more than 1,024 waiting events, is told how many by an
// *messages.EventsLost in their place, and slows nobody.
//
// It listens from the call on, not from the first step of the iteration, and for
// one iteration.
func (e *Engine) Events(ctx context.Context) iter.Seq[Event] {
	l := &listener{some: make(chan struct{}, 1)}
	unlisten := e.config.Listen(l.put)
	stop := context.AfterFunc(ctx, unlisten)
	return func(yield func(Event) bool) {
		defer func() {
			stop()
			unlisten()
			l.over = true
		}()
		for !l.over {
			for _, event := range l.take() {
				if ctx.Err() != nil || !yield(event) {
					return
				}
			}
			select {
			case <-l.some:
			case <-ctx.Done():
				return
			case <-e.config.Ended():
				for _, event := range l.take() {
					if !yield(event) {
						return
					}
				}
				return
			}
		}
	}
}

// listener holds the events that wait to be yielded.
type listener struct {
	mu     sync.Mutex
	events []Event
	lost   int
	some   chan struct{} // has an element if there may be events
	over   bool          // it does not listen any more
}

// put adds an event, at the cost of the oldest if there are too many.
func (l *listener) put(event Event) {
	l.mu.Lock()
	if len(l.events) == eventsKept {
		l.events = l.events[1:]
		l.lost++
	}
	l.events = append(l.events, event)
	l.mu.Unlock()
	select {
	case l.some <- struct{}{}:
	default:
	}
}

// take removes all events, after what tells of those that were lost.
func (l *listener) take() []Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	if l.lost > 0 {
		events = append([]Event{&messages.EventsLost{N: l.lost}}, events...)
	}
	l.events, l.lost = nil, 0
	return events
}

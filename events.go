package procession

import (
	"context"
	"iter"
	"sync"

	"github.com/procession-go/procession/messages"
)

// eventsKept is the most events that may wait for a listener.
const eventsKept = 1024

// Events yields what happens to the engine's processes from now on, until the
// context ends or the engine has shut down. The events of each process are in
// order. Their types are listed at messages.Event. A slow listener slows nobody
// else: when more than 1,024 events wait for it, the oldest are dropped, and a
// *messages.EventsLost in their place says how many.
//
// Events are collected from the call on, not from the first step of the iteration.
// The result can be iterated over once.
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
	some   chan struct{} // has an element if events may be waiting
	over   bool          // it no longer listens
}

// put adds an event. If there are too many, it drops the oldest.
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

// take removes and returns all events. If some were lost, an EventsLost comes
// first.
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

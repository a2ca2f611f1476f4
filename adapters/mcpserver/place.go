package mcpserver

import (
	"context"
	"sync"
)

// Calls about one process take effect in the order in which they came, although the SDK
// runs each on a goroutine of its own. A call has its place from when its message was read.
// It begins when what came before it has been posted to the engine, which keeps that order;
// input is given to it only when the input before has been written. So a kill does not wait
// for a program that reads nothing.

// queues are the places of calls that are under way, by process.
type queues struct {
	mu sync.Mutex
	of map[string]*queue
}

type queue struct {
	begun, written <-chan struct{} // closed when the last one has begun; when the last input was written
	places         int
}

// place is where a call stands. A nil place is that of a call whose order does not matter.
type place struct {
	queues        *queues
	process       string
	before        <-chan struct{} // closed when the one before it has begun, nil if there is none
	unwritten     <-chan struct{} // closed when the input before it was written, nil if there is none
	begun, ended  chan struct{}
	begins, leave sync.Once
}

// join gives a call about a process its place; input: it writes to it.
func (l *queues) join(process string, input bool) *place {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := l.of[process]
	if at == nil {
		at = &queue{}
		if l.of == nil {
			l.of = map[string]*queue{}
		}
		l.of[process] = at
	}
	p := &place{queues: l, process: process, before: at.begun, begun: make(chan struct{}), ended: make(chan struct{})}
	at.begun = p.begun
	if input {
		p.unwritten, at.written = at.written, p.ended
	}
	at.places++
	return p
}

// wait returns when it is the call's turn.
func (p *place) wait(ctx context.Context) error {
	if p == nil {
		return nil
	}
	for _, other := range []<-chan struct{}{p.before, p.unwritten} {
		if other == nil {
			continue
		}
		select {
		case <-other:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// begin lets the next one begin.
func (p *place) begin() {
	if p != nil {
		p.begins.Do(func() { after(p.before, p.begun) })
	}
}

// end gives the place up.
func (p *place) end() {
	if p == nil {
		return
	}
	p.begin()
	p.leave.Do(func() {
		after(p.unwritten, p.ended)
		p.queues.mu.Lock()
		defer p.queues.mu.Unlock()
		at := p.queues.of[p.process]
		if at.places--; at.places == 0 {
			delete(p.queues.of, p.process)
		}
	})
}

// after closes done when first is closed, if there is one.
func after(first <-chan struct{}, done chan struct{}) {
	if first == nil {
		close(done)
		return
	}
	select {
	case <-first:
		close(done)
	default: // the call was given up before its turn
		go func() {
			<-first
			close(done)
		}()
	}
}

package mcpserver

import (
	"context"
	"sync"
)

// Calls about one process take effect in the order in which they came, although the SDK
// runs each on a goroutine of its own. A call has its place from when its message was read.
// It begins when what came before it has been posted to the engine, which keeps the order of
// what it is asked for. So nobody waits for another call to end: a kill overtakes input that
// a program does not read.

// queues are the places of calls that are under way, by process.
type queues struct {
	mu sync.Mutex
	of map[string]*queue
}

type queue struct {
	begun  <-chan struct{} // closed when the last one has begun
	places int
}

// place is where a call stands. A nil place is that of a call whose order does not matter.
type place struct {
	queues        *queues
	process       string
	before        <-chan struct{} // closed when the one before it has begun, nil if there is none
	begun         chan struct{}
	begins, leave sync.Once
}

// join gives a call about a process its place.
func (q *queues) join(process string) *place {
	q.mu.Lock()
	defer q.mu.Unlock()
	at := q.of[process]
	if at == nil {
		at = &queue{}
		if q.of == nil {
			q.of = map[string]*queue{}
		}
		q.of[process] = at
	}
	p := &place{queues: q, process: process, before: at.begun, begun: make(chan struct{})}
	at.begun = p.begun
	at.places++
	return p
}

// wait returns when it is the call's turn.
func (p *place) wait(ctx context.Context) error {
	if p == nil || p.before == nil {
		return nil
	}
	select {
	case <-p.before:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// begin lets the next one begin.
func (p *place) begin() {
	if p == nil {
		return
	}
	p.begins.Do(func() {
		if p.before == nil {
			close(p.begun)
			return
		}
		select {
		case <-p.before:
			close(p.begun)
		default: // the call was given up before its turn
			go func() {
				<-p.before
				close(p.begun)
			}()
		}
	})
}

// end gives the place up.
func (p *place) end() {
	if p == nil {
		return
	}
	p.begin()
	p.leave.Do(func() {
		p.queues.mu.Lock()
		defer p.queues.mu.Unlock()
		at := p.queues.of[p.process]
		if at.places--; at.places == 0 {
			delete(p.queues.of, p.process)
		}
	})
}

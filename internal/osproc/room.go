package osproc

import (
	"math"
	"sync"
)

// room returns how many bytes of a stream may be read now: what the log has room for, and once
// the leader has exited, what it has left in the pipe.
func (p *Process) room(stream int) int {
	if p.gate == nil || p.discarding.Load() {
		return math.MaxInt
	}
	return int(min(math.MaxInt, max(0, p.log.Room(), p.draining.Load().owes(stream))))
}

// awaitRoom waits until something of a stream may be read, and returns how much.
func (p *Process) awaitRoom(stream int) int {
	for {
		opened, closed := p.gate.next()
		if n := p.room(stream); n > 0 || closed || !p.streams[stream].isOpen() { // the end takes no room
			return max(n, 1)
		}
		<-opened
	}
}

// ReadOn has the streams read again that had no room; see output.Log.Asked. It is harmless
// if there is none.
func (p *Process) ReadOn() {
	if p.gate == nil {
		return
	}
	p.gate.open()
	for _, s := range p.streams {
		s.readOn()
	}
}

// gate is where those wait who may not read; nil is always open.
type gate struct {
	mu     sync.Mutex
	opened chan struct{} // closed when it opens next, nil if nobody waits
	closed bool          // nobody waits any longer
}

// next is closed when the gate opens next.
func (g *gate) next() (opened <-chan struct{}, closed bool) {
	if g == nil {
		return nil, true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened == nil {
		g.opened = make(chan struct{})
	}
	return g.opened, g.closed
}

// open lets all look again who wait.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened != nil {
		close(g.opened)
		g.opened = nil
	}
}

// close lets all go on for ever.
func (g *gate) close() {
	if g == nil {
		return
	}
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.open()
}

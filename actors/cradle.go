package actors

import (
	"sync"

	"github.com/procession-go/procession/internal/osproc"
)

// cradle holds a leader from its start until its actor knows of it. An actor
// that stops drops what is in its mailbox, and a leader must not be lost there.
type cradle struct {
	mu      sync.Mutex
	process *osproc.Process
	closed  bool
}

// put reports whether there is still an actor that will know of p.
func (c *cradle) put(p *osproc.Process) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.process = p
	}
	return !c.closed
}

// empty says that the actor knows.
func (c *cradle) empty() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.process = nil
}

// close says that the actor stops, and returns the leader of which it has not
// come to know, nil if there is none.
func (c *cradle) close() *osproc.Process {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	return c.process
}

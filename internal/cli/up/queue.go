package up

import "sync"

// queue does one thing after the other, in the order in which they were asked for.
// Who asks does not wait for that.
type queue struct {
	mu   sync.Mutex
	todo []func()
	busy bool // a goroutine does it
	idle sync.Cond
}

func newQueue() *queue {
	q := &queue{}
	q.idle.L = &q.mu
	return q
}

// add does something after all that was added before.
func (q *queue) add(do func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.todo = append(q.todo, do)
	if !q.busy {
		q.busy = true
		go q.work()
	}
}

func (q *queue) work() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.todo) > 0 {
		do := q.todo[0]
		q.todo[0] = nil
		q.todo = q.todo[1:]
		q.mu.Unlock()
		do()
		q.mu.Lock()
	}
	q.todo, q.busy = nil, false
	q.idle.Broadcast()
}

// wait waits until there is nothing to do.
func (q *queue) wait() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.busy {
		q.idle.Wait()
	}
}

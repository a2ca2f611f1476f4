package output

import "sync"

// Queue carries slices from the readers of one process to the owner of its log,
// and holds the readers up when the owner does not keep pace. All its methods
// may be called by any goroutine.
type Queue struct {
	mu       sync.Mutex
	taken    sync.Cond // the queue was full and no longer is, or it is closed
	waiting  []Slice
	capacity int
	eager    bool
	closed   bool
}

// NewQueue returns a queue in which at most capacity slices wait. It panics if
// capacity is not positive.
func NewQueue(capacity int) *Queue {
	if capacity <= 0 {
		panic("output: the capacity of a queue must be positive")
	}
	q := &Queue{capacity: capacity}
	q.taken.L = &q.mu
	return q
}

// Push adds a slice at the end. A slice that continues the last one that waits,
// in the same block, takes no place of its own, so that many short reads are as
// good as a long one. Otherwise Push blocks while the queue is full.
//
// It returns true if the owner has to be told to Take: because the queue was
// empty and the owner is eager, or because it is half full now. After Close, Push
// discards the slice and returns false.
func (q *Queue) Push(s Slice) (wake bool) {
	if s.len() == 0 {
		return false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		n := len(q.waiting)
		switch {
		case q.closed:
			s.block.release(s.len())
			return false
		case n > 0 && q.waiting[n-1].extend(s.slice):
			return false
		case n < q.capacity:
			q.waiting = append(q.waiting, s)
			return (n == 0 && q.eager) || n+1 == (q.capacity+1)/2
		}
		q.taken.Wait()
	}
}

// Eager says whether the owner wants to be told at once that there is something
// to Take. One who is not looks by itself when it needs to know, which saves it
// from being woken for each little piece. One who becomes eager has to Take once
// after that.
func (q *Queue) Eager(eager bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.eager = eager
}

// Room reports whether a Push would not block, if nobody else pushes.
func (q *Queue) Room() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed || len(q.waiting) < q.capacity
}

// Take removes all slices that wait and returns them in order of arrival,
// appended to into[:0]. Whatever else into has capacity for is cleared, so that
// it keeps no block alive.
func (q *Queue) Take(into []Slice) []Slice {
	clear(into[:cap(into)])
	q.mu.Lock()
	defer q.mu.Unlock()
	into = append(into[:0], q.waiting...)
	q.empty()
	return into
}

// Close says that nobody will Take any more: slices that wait, and all to come,
// are discarded, and nobody stays blocked. Again is no error.
func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, s := range q.waiting {
		s.block.release(s.len())
	}
	q.empty()
	q.waiting = nil
}

func (q *Queue) empty() {
	if len(q.waiting) == q.capacity {
		q.taken.Broadcast()
	}
	clear(q.waiting)
	q.waiting = q.waiting[:0]
}

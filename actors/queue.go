package actors

// queue is a first-in, first-out queue. The zero value is empty.
type queue struct {
	waiting []any
	taken   int // elements of waiting that were taken, from its beginning
}

// maxKept is how many elements an empty queue keeps memory for.
const maxKept = 64

func (q *queue) count() int { return len(q.waiting) - q.taken }

func (q *queue) push(element any) {
	if len(q.waiting) == cap(q.waiting) && q.taken > q.count() {
		count := copy(q.waiting, q.waiting[q.taken:])
		clear(q.waiting[count:])
		q.waiting, q.taken = q.waiting[:count], 0
	}
	q.waiting = append(q.waiting, element)
}

// first returns the element that pop takes next; there must be one.
func (q *queue) first() any { return q.waiting[q.taken] }

func (q *queue) pop() any {
	element := q.first()
	q.waiting[q.taken] = nil
	if q.taken++; q.count() == 0 {
		q.waiting, q.taken = q.waiting[:0], 0
		if cap(q.waiting) > maxKept {
			q.waiting = nil
		}
	}
	return element
}

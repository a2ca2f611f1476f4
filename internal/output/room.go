package output

import "math"

// A log that is told to Block drops nothing that nobody has asked for: it has room, and who
// reads the process does not read more than that. So the process waits in its writes, as it
// does for the slow reader of a pipe.

// Block makes the log one that drops only what lies before the offset of a reader, see Asked.
// It is called before anything else. A log without a limit never lacks room.
func (l *Log) Block() { l.blocks = l.limit > 0 }

// Blocks reports whether it may lack room.
func (l *Log) Blocks() bool { return l.blocks }

// Room is how many bytes may be appended; 0 or less if somebody is to be held up for the
// readers. Who has been told so is to ask again when Asked has answered true.
func (l *Log) Room() int64 {
	if !l.blocks {
		return math.MaxInt64
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	room := l.room()
	l.waits = l.waits || room <= 0
	return room
}

func (l *Log) room() int64 { return l.limit - (l.end - l.asked) }

// Asked notes that a reader has asked for what comes from the absolute offset on: what lies
// before may be dropped. It answers whether there is room again for who was held up.
func (l *Log) Asked(offset int64) (again bool) {
	if !l.blocks {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.asked = max(l.asked, min(offset, l.end))
	l.trim()
	again = l.waits && l.room() > 0
	l.waits = l.waits && !again
	return again
}

// trim drops what exceeds the limit, and may be dropped.
func (l *Log) trim() {
	if to := min(l.end-l.limit, l.droppable()); l.limit > 0 && to > l.first() {
		l.evict(to)
	}
}

// droppable is the absolute offset up to which everything may be dropped.
func (l *Log) droppable() int64 {
	if l.blocks {
		return l.asked
	}
	return l.end
}

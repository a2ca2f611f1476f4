package output

import "math"

// A log that is told to Block drops only output that a reader has asked for. It has a
// limited room, and the engine reads no more from the process than there is room for. So
// the process waits in its writes, as it does for the slow reader of a pipe.

// Block makes the log drop only what lies before the offset of a reader, see Asked. It must
// be called before any other method. A log without a limit never lacks room.
func (l *Log) Block() { l.blocks = l.limit > 0 }

// Blocks reports whether the log may lack room.
func (l *Log) Blocks() bool { return l.blocks }

// Room returns how many bytes may be appended. If it is 0 or less, the caller must wait, and
// call Room again once Asked has returned true.
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

// Asked records that a reader has asked for the output from the absolute offset on: what
// lies before may be dropped. It returns whether there is room again for those that Room
// has held up.
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

// droppable returns the absolute offset up to which everything may be dropped.
func (l *Log) droppable() int64 {
	if l.blocks {
		return l.asked
	}
	return l.end
}

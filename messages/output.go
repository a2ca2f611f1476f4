package messages

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Stream says where a byte of output came from.
type Stream uint8

const (
	// Stdout is standard output. All output of a terminal is Stdout too.
	Stdout Stream = iota
	// Stderr is standard error.
	Stderr
)

// String returns "stdout" or "stderr".
func (s Stream) String() string {
	if s == Stderr {
		return "stderr"
	}
	return "stdout"
}

// MarshalText encodes the stream as String does.
func (s Stream) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (s *Stream) UnmarshalText(text []byte) error {
	i, err := valueOf([]string{"stdout", "stderr"}, "stream", string(text))
	*s = Stream(i)
	return err
}

// Overflow says what happens to new output when OutputLimit bytes are retained and
// nobody has read them.
type Overflow uint8

const (
	// DropOldest drops the oldest output. The process is never held up.
	DropOldest Overflow = iota
	// Block drops the oldest output only once a ReadOutput has asked for output after it.
	// While OutputLimit bytes wait to be read, the engine reads nothing more, and the
	// process waits in its writes, as for the slow reader of a pipe. When the leader exits,
	// what it has already written is taken whatever the limit is. The process can be ended
	// as any other; what it could not write by then is lost. If OutputLimit is Unlimited,
	// the process never waits.
	Block
)

var overflows = []string{"drop-oldest", "block"}

// String returns "drop-oldest" or "block".
func (o Overflow) String() string { return nameOf(overflows, int(o)) }

// MarshalText encodes it as String does.
func (o Overflow) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (o *Overflow) UnmarshalText(text []byte) error {
	i, err := valueOf(overflows, "overflow", string(text))
	*o = Overflow(i)
	return err
}

// Segment is a run of output bytes of one stream.
//
// A segment does not split a UTF-8 encoded character. There are two exceptions: the
// process ended its output inside the character, or a ReadOptions asked for fewer
// bytes than the character has.
type Segment struct {
	// Stream is where the bytes came from.
	Stream Stream
	// Offset is the position of Data[0] in the output of the process: the number of
	// bytes, of both streams together, that the process had produced before it.
	Offset int64
	// Data is shared with the log and with other readers. The engine never modifies
	// it after it is handed out, and a receiver must not modify it.
	Data []byte
}

// Output is the part of a process's output that is retained, in the order in which
// it arrived. It answers GetOutput.
type Output struct {
	// Segments are in order of Offset and have no gaps between them.
	Segments []Segment
	// Dropped is how many bytes before the first segment are no longer retained.
	Dropped int64
	// Exit describes how the process ended. It is nil until then.
	Exit *Exit
}

// Stdout returns the retained standard output as valid UTF-8. Each byte that is not
// part of a valid encoding is shown as U+FFFD.
func (o Output) Stdout() string {
	return text(o.Segments, func(s Segment) bool { return s.Stream == Stdout })
}

// Stderr returns the retained standard error, as Stdout does.
func (o Output) Stderr() string {
	return text(o.Segments, func(s Segment) bool { return s.Stream == Stderr })
}

// Combined returns both streams in the order in which they arrived, as Stdout does.
func (o Output) Combined() string {
	return text(o.Segments, func(Segment) bool { return true })
}

// Truncated reports whether output was dropped because of the output limit.
func (o Output) Truncated() bool { return o.Dropped > 0 }

func text(segments []Segment, keep func(Segment) bool) string {
	size := 0
	for _, s := range segments {
		if keep(s) {
			size += len(s.Data)
		}
	}
	var b strings.Builder
	b.Grow(size)
	for _, s := range segments {
		switch {
		case !keep(s):
		case utf8.Valid(s.Data):
			b.Write(s.Data)
		default:
			for _, r := range string(s.Data) { // range yields U+FFFD for an invalid byte
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// ReadOptions say what part of the output to read, and how long to wait for it.
type ReadOptions struct {
	// Cursor is the offset of the first byte to read: 0 for all that is retained,
	// then Chunk.Next. It must not be negative or beyond the end of the output.
	Cursor int64
	// MaxBytes is the most bytes that the chunk may hold. 0 means no limit. A limit
	// below 4 bytes may split a character.
	MaxBytes int
	// Wait is how long to wait if there is no byte at Cursor yet. The end of the
	// process also ends the wait. 0 does not wait, and a negative value waits as
	// long as it takes.
	Wait time.Duration
}

// Chunk is a part of the output. It answers ReadOutput.
type Chunk struct {
	// Segments are in order of Offset and have no gaps between them. There are
	// none if nothing arrived in time.
	Segments []Segment
	// Marks are the offsets at which incarnations begin, as far as they lie in the
	// chunk. The first incarnation has none. A line never goes on across a mark.
	Marks []int64
	// Next is the cursor to read on from.
	Next int64
	// Dropped is how many bytes between the requested cursor and the first segment
	// were dropped before they could be read.
	Dropped int64
	// Fragments are the streams in which the beginning of a line was dropped. What
	// follows in such a stream, up to its next newline, is the rest of that line and
	// not a line of its own.
	Fragments []Stream
	// Exit describes how the process ended. It is nil until then.
	Exit *Exit
	// EOF means that the process has ended and that Next is the end of its output:
	// nothing will follow.
	EOF bool
}

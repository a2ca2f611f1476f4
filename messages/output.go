package messages

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Stream is where a byte of output came from.
type Stream uint8

const (
	// Stdout is standard output; also all output of a terminal.
	Stdout Stream = iota
	// Stderr is standard error.
	Stderr
)

// String is "stdout" or "stderr".
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

// Overflow is what happens to the output of a process that nobody reads in time, when
// OutputLimit bytes of it are retained.
type Overflow uint8

const (
	// DropOldest drops the oldest output. The process is never held up.
	DropOldest Overflow = iota
	// Block drops the oldest output only once a ReadOutput has asked from beyond it. While
	// OutputLimit bytes wait, nothing more is read, and the process waits in its writes, as
	// for the slow reader of a pipe. What it has written when its leader exits is taken all
	// the same. It can be ended as any other; what it could not write by then is lost.
	// Where OutputLimit is Unlimited, nothing ever waits.
	Block
)

var overflows = []string{"drop-oldest", "block"}

// String is "drop-oldest" or "block".
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
// A segment neither begins nor ends inside a UTF-8 encoded character that the
// process wrote, unless it ended its output there, or unless a ReadOptions
// asked for fewer bytes than the character has.
type Segment struct {
	// Stream is where the bytes came from.
	Stream Stream
	// Offset is the position of Data[0] in the output of the process, counted
	// in bytes of both streams together from the first it ever produced.
	Offset int64
	// Data is shared with the log and with other readers: it is never modified
	// after it is handed out, and a receiver must not modify it either.
	Data []byte
}

// Output is everything that is retained of a process's output, in the order in
// which it arrived. It answers GetOutput.
type Output struct {
	// Segments are in order of Offset and have no gaps between them.
	Segments []Segment
	// Dropped is how many bytes before the first segment are no longer retained.
	Dropped int64
	// Exit is how the process ended, nil while it has not.
	Exit *Exit
}

// Stdout is the retained standard output as valid UTF-8; each byte that is not
// part of a valid encoding is shown as U+FFFD.
func (o Output) Stdout() string {
	return text(o.Segments, func(s Segment) bool { return s.Stream == Stdout })
}

// Stderr is the retained standard error, in the form of Stdout.
func (o Output) Stderr() string {
	return text(o.Segments, func(s Segment) bool { return s.Stream == Stderr })
}

// Combined is both streams in the order in which they arrived, in the form of
// Stdout.
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
			for _, r := range string(s.Data) { // an invalid byte ranges as U+FFFD
				b.WriteRune(r)
			}
		}
	}
	return b.String()
}

// ReadOptions say what part of the output to read, and how long to wait for it.
type ReadOptions struct {
	// Cursor is the offset of the first byte wanted: 0 for all that is
	// retained, then Chunk.Next. It must not be negative or beyond the end of
	// the output.
	Cursor int64
	// MaxBytes is the most bytes that the chunk may hold. 0 is no limit. Fewer
	// than a character's encoding (4 bytes at most) may split that character.
	MaxBytes int
	// Wait is how long to wait for a byte at Cursor if there is none yet. The
	// end of the process also ends the waiting. 0 does not wait, and a negative
	// value waits as long as it takes.
	Wait time.Duration
}

// Chunk is what was read. It answers ReadOutput.
type Chunk struct {
	// Segments are in order of Offset and have no gaps between them. There are
	// none if nothing arrived in time.
	Segments []Segment
	// Marks are the offsets, of bytes in the chunk, at which incarnations begin,
	// the first one not among them. A line does not go on across a mark.
	Marks []int64
	// Next is the cursor to read on from.
	Next int64
	// Dropped is how many bytes between the cursor asked for and the first
	// segment were evicted before they could be read.
	Dropped int64
	// Fragments are the streams of which a line was dropped in part: what comes of them
	// up to their next newline is the rest of it, and no line.
	Fragments []Stream
	// Exit is how the process ended, nil while it has not.
	Exit *Exit
	// EOF means that the process has ended and Next is the end of its output:
	// nothing will ever follow.
	EOF bool
}

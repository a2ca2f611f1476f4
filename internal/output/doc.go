// Package output is the log of one process: what the process wrote on its two
// streams, in the order in which it arrived, within a limit in bytes.
//
// A byte passes through three types. It is copied only once, by the kernel, unless
// that would waste memory:
//
//	read(2) → Buffer (one per stream) → Log → Segment
//
// The reader of a stream reads into [Buffer.Free]. It appends the [Slice] that
// [Buffer.Filled] hands over to the [Log], which says whether somebody waits for
// output. A [Segment] is a view of the memory that was read into.
//
// That memory comes in blocks. A filled byte of a block is never written
// again, so segments are handed out without copying. A block whose bytes are
// all evicted is used again, unless a segment has ever shown it; then it
// belongs to whoever still holds the segment, and to the garbage collector.
// What would keep much more memory than it is itself is copied into pages, which
// belong to the log, so that a log is never more than its limit and 64 KiB for
// each stream.
//
// The package does no I/O and starts no goroutine.
package output

// Stream is where a byte of output came from.
type Stream uint8

const (
	// Stdout is standard output; also all output of a terminal.
	Stdout Stream = iota
	// Stderr is standard error.
	Stderr
)

// Segment is a run of output bytes of one stream.
type Segment struct {
	// Stream is where the bytes came from.
	Stream Stream
	// Offset is the position of Data[0] in the output of the process: the number of
	// bytes, of both streams together, that the process had produced before it.
	Offset int64
	// Data is shared with the log and with other segments. It is never modified
	// after it is handed out, has no spare capacity, may be read by any
	// goroutine for as long as it likes, and must not be written to.
	Data []byte
	// Torn reports, by stream, whether what was dropped before the segment ended inside a
	// line. A line ends at a newline, and at a boundary (Log.Begin). Only the first segment
	// from an offset before First has it.
	Torn [2]bool
}

package screen

import (
	"bytes"
	"io"
	"sync"
	"unicode/utf8"
)

// maxLine is how many bytes of a line whose end does not come are kept. It goes
// on in a line of its own then.
const maxLine = 64 << 10

// LineWriter writes whole lines, each after a prefix. Several may share a mutex,
// and write to the same place.
type LineWriter struct {
	mu     *sync.Mutex
	to     io.Writer
	prefix string
	begun  []byte // of a line whose end has not come
	ready  []byte // lines to be written, with their prefixes
}

// Bare has lines passed on without a prefix from here on.
func (w *LineWriter) Bare() { w.prefix = "" }

// Write passes on the lines that data ends, in one piece.
func (w *LineWriter) Write(data []byte) (int, error) {
	for rest := data; len(rest) > 0; {
		end := bytes.IndexByte(rest, '\n') + 1
		if end == 0 {
			w.begin(rest)
			break
		}
		w.line(rest[:end])
		rest = rest[end:]
	}
	if err := w.flush(); err != nil {
		return 0, err
	}
	return len(data), nil
}

// Close ends a line whose end has not come.
func (w *LineWriter) Close() error {
	if len(w.begun) > 0 {
		w.line([]byte("\n"))
	}
	return w.flush()
}

// line adds a line, or the end of the one that has begun.
func (w *LineWriter) line(end []byte) {
	w.begun = append(w.begun, end...)
	w.ready = append(append(w.ready, w.prefix...), w.anew()...)
	w.begun = w.begun[:0]
}

// anew is what has begun from its last carriage return on, which would bring the rest
// to where the prefix is.
func (w *LineWriter) anew() []byte {
	if w.prefix == "" {
		return w.begun
	}
	return w.begun[bytes.LastIndexByte(bytes.TrimRight(w.begun, "\r\n"), '\r')+1:]
}

// Unshown is false: lines wait for their ends.
func (w *LineWriter) Unshown() bool { return false }

// Show does nothing: lines wait for their ends.
func (w *LineWriter) Show() error { return nil }

// begin keeps the beginning of a line until its end comes.
func (w *LineWriter) begin(text []byte) {
	w.begun = append(w.begun, text...)
	w.begun = append(w.begun[:0], w.anew()...)
	for len(w.begun) > maxLine {
		cut := maxLine
		for cut > maxLine-utf8.UTFMax && !utf8.RuneStart(w.begun[cut]) {
			cut--
		}
		rest := bytes.Clone(w.begun[cut:])
		w.begun = w.begun[:cut]
		w.line([]byte("\n"))
		w.begun = append(w.begun, rest...)
	}
}

func (w *LineWriter) flush() error {
	if len(w.ready) == 0 {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	_, err := w.to.Write(w.ready)
	w.ready = w.ready[:0]
	return err
}

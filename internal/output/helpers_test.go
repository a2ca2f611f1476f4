package output

import (
	"bytes"

	"github.com/stretchr/testify/assert"
)

// stream is a reader that reads what a test gives it.
type stream struct{ *Buffer }

func newStream(s Stream) stream { return stream{NewBuffer(s)} }

// read reads p to its end, and hands every slice over.
func (r stream) read(p []byte, hand func(Slice)) {
	for len(p) > 0 {
		n := copy(r.Free(), p)
		p = p[n:]
		if s, ok := r.Filled(n); ok {
			hand(s)
		}
	}
}

// flush ends the stream.
func (r stream) flush(hand func(Slice)) {
	if s, ok := r.Flush(); ok {
		hand(s)
	}
}

// logOf is a log in which each of the texts arrived by one read, on stdout.
func logOf(limit int64, texts ...string) *Log {
	l, out := NewLog(limit), newStream(Stdout)
	for _, text := range texts {
		out.read([]byte(text), appendTo(l))
	}
	out.flush(appendTo(l))
	return l
}

// combined is all bytes that Segments yields.
func combined(l *Log, from int64, max int) string {
	var b bytes.Buffer
	for s := range l.Segments(from, max) {
		b.Write(s.Data)
	}
	return b.String()
}

// snapshot remembers segments and what they held when they were handed out.
type snapshot struct {
	segments []Segment
	copies   [][]byte
}

func (s *snapshot) take(l *Log, from int64, max int) []Segment {
	first := len(s.segments)
	for seg := range l.Segments(from, max) {
		s.segments = append(s.segments, seg)
		s.copies = append(s.copies, bytes.Clone(seg.Data))
	}
	return s.segments[first:]
}

func (s *snapshot) check(t assert.TestingT) {
	for i, seg := range s.segments {
		assert.True(t, bytes.Equal(seg.Data, s.copies[i]), "a segment at offset %d changed after it was handed out", seg.Offset)
	}
}

// appendTo is l.Append for those who are not to be told.
func appendTo(l *Log) func(Slice) { return func(s Slice) { l.Append(s) } }

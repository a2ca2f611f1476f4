package mcpserver

import (
	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/lines"
)

// fragments are what output begins with of lines that were dropped in part, by stream. A
// filter must not take them for lines.
type fragments [2]lines.Fragment

// of are the fragments that a chunk begins with.
func (f *fragments) of(chunk procession.Chunk) {
	*f = fragments{}
	for _, stream := range chunk.Fragments {
		f[stream].Open = true
	}
}

// after returns what a segment has after them; it is empty if they have not ended.
func (f *fragments) after(s procession.Segment) procession.Segment {
	data := f[s.Stream].After(s.Data)
	s.Offset += int64(len(s.Data) - len(data))
	s.Data = data
	return s
}

// withoutFragments returns the segments of a chunk without them. open reports whether one goes
// on in what is still to come.
func withoutFragments(chunk procession.Chunk) (segments []procession.Segment, open bool) {
	var f fragments
	var goesOn [2]bool
	f.of(chunk)
	for _, s := range chunk.Segments {
		if s = f.after(s); len(s.Data) > 0 {
			segments = append(segments, s)
		}
		goesOn[s.Stream] = f[s.Stream].Open
	}
	return segments, goesOn[0] || goesOn[1]
}

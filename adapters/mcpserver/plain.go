package mcpserver

import (
	"sort"
	"strings"
	"sync"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/visible"
	"github.com/procession-go/procession/plaintext"
)

// Most output is plain: a model reads its bytes as they are. Of that, the end is the last
// bytes, and how much is left out is a difference, so that a small answer need not render
// all that is retained.

// plains remembers of which output it is known that it is plain. What is at an offset never
// changes, so each byte is looked at once, however often the output is asked for.
type plains struct {
	mu   sync.Mutex
	runs map[string]run // by process
}

// run is the output from one offset to another.
type run struct{ begin, end int64 }

// mostPlains is of how many processes something is remembered. Of a process that is not
// among them, all that is retained is looked at anew.
const mostPlains = 1000

// all reports whether all of segments, which are the output of a process, is plain.
func (p *plains) all(id string, segments []procession.Segment) bool {
	if len(segments) == 0 {
		return true
	}
	p.mu.Lock()
	known := p.runs[id]
	p.mu.Unlock()
	if begin := segments[0].Offset; begin < known.begin || begin > known.end {
		known = run{begin, begin}
	}
	defer func() { p.remember(id, known) }()
	unseen := sort.Search(len(segments), func(i int) bool { return segmentEnd(segments[i]) > known.end })
	for _, s := range segments[unseen:] {
		if !isPlain(s.Data[max(0, known.end-s.Offset):]) {
			return false
		}
		known.end = segmentEnd(s)
	}
	return true
}

func (p *plains) remember(id string, known run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.runs == nil {
		p.runs = map[string]run{}
	}
	if _, there := p.runs[id]; !there && len(p.runs) >= mostPlains {
		for other := range p.runs { // whatever comes first
			delete(p.runs, other)
			break
		}
	}
	p.runs[id] = known
}

// isPlain reports whether a model reads data as it is, whatever plain output is around it.
func isPlain(data []byte) bool {
	text := string(data)
	return visible.Text(plaintext.String(text)) == text // which both return as it is, and do not copy
}

// plainViewOf is viewOf of plain segments, without a filter. It reads no more of them than it
// returns.
func plainViewOf(segments []procession.Segment, limit int) view {
	return viewsOf(segments, func(keep func(procession.Stream) bool) shown {
		return plainEnd(segments, keep, limit)
	})
}

// plainEnd is show of plain segments.
func plainEnd(segments []procession.Segment, keep func(procession.Stream) bool, limit int) shown {
	size := 0
	for _, s := range segments {
		if keep(s.Stream) {
			size += len(s.Data)
		}
	}
	held := min(size-1, limit) + 1 // keepEnd looks at the byte before limit
	begin, before := len(segments), held
	for before > 0 {
		begin--
		if keep(segments[begin].Stream) {
			before -= len(segments[begin].Data)
		}
	}
	var end strings.Builder
	end.Grow(held)
	for _, s := range segments[begin:] {
		if keep(s.Stream) {
			end.Write(s.Data[-before:]) // of the first, what is too many is left out
			before = 0
		}
	}
	text, cut := keepEnd(end.String(), limit)
	return shown{text: text, cut: size - held + cut}
}

func segmentEnd(s procession.Segment) int64 { return s.Offset + int64(len(s.Data)) }

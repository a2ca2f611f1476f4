package mcpserver

import (
	"bytes"
	"regexp"
	"strings"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/visible"
	"github.com/procession-go/procession/plaintext"
)

// lineFinder finds the first line that matches re in output that comes in chunks, in each of
// the three views, and where it ends. Unlike lineSearch, which is asked about what a model
// reads in the end, it must tell two lines from each other that come in one chunk: so a line
// counts as soon as it has ended. What has not, or was drawn anew above the last line, counts
// once nothing more has come of its view for a while.
type lineFinder struct {
	re      *regexp.Regexp
	torn    fragments
	views   [3]drawn    // of both streams, and of each
	streams [2]sequence // by stream
	seen    [2]bool     // by stream
	lost    int64       // where the output begins since something was dropped, 0 if nothing was
	next    int64       // where it ends, as far as it was fed

	line  string // the line that was found
	end   int64  // where it ends
	found bool
}

// drawn is a view as it comes.
type drawn struct {
	ending  plaintext.Renderer // finishes each line once it ends
	screen  plaintext.Renderer // as a model reads it
	held    int                // about as many bytes as these hold, at the most
	open    bool               // there is a line that has begun, and not ended
	begun   int64              // where
	end     int64              // of what was written
	last    procession.Stream  // of which that was
	settles time.Time          // when what has not ended counts as it is, zero if it was looked at
}

// feed takes a chunk, and reports whether there is a line in it.
func (f *lineFinder) feed(chunk procession.Chunk, now time.Time) bool {
	if chunk.Dropped > 0 {
		*f = lineFinder{re: f.re, lost: chunk.Next}
		if len(chunk.Segments) > 0 {
			f.lost = chunk.Segments[0].Offset
		}
		f.torn.of(chunk)
	}
	f.next = chunk.Next
	for _, s := range chunk.Segments {
		s = f.torn.after(s)
		for len(s.Data) > 0 {
			n := len(s.Data)
			if end := bytes.IndexAny(s.Data, lineFeeds); end >= 0 {
				n = end + 1
			}
			if f.write(s.Stream, s.Data[:n], s.Offset, now) {
				return true
			}
			s.Data, s.Offset = s.Data[n:], s.Offset+int64(n)
		}
	}
	return false
}

// lineFeeds are what ends a line on a screen.
const lineFeeds = "\n\v\f"

// write takes a line, or a part of one, and reports whether it is what is looked for.
func (f *lineFinder) write(stream procession.Stream, data []byte, offset int64, now time.Time) bool {
	f.seen[stream] = true
	f.streams[stream].scan(data, offset)
	for _, view := range []int{0, 1 + int(stream)} {
		v := &f.views[view]
		v.write(stream, data, offset)
		v.settles = now.Add(settle)
		if ended := v.ended(); f.counts(view) && f.match(ended, v.end) {
			return true
		}
	}
	return false
}

// settled reports whether a line is found in what has not ended, in those views of which
// nothing has come for a while, or in all of them.
func (f *lineFinder) settled(now time.Time, all bool) bool {
	for i := range f.views {
		v := &f.views[i]
		if !f.counts(i) || v.settles.IsZero() || !all && now.Before(v.settles) {
			continue
		}
		v.settles = time.Time{}
		end := f.streams[v.last].open(v.end)
		if f.match(v.ending.Rest(), end) || f.match(v.screen.Rest(), end) {
			return true
		}
	}
	return false
}

// patience returns how long to wait for more before settled is to be asked, at most so long.
func (f *lineFinder) patience(now time.Time, most time.Duration) time.Duration {
	for i := range f.views {
		if v := &f.views[i]; f.counts(i) && !v.settles.IsZero() {
			most = min(most, v.settles.Sub(now))
		}
	}
	return max(0, most)
}

// resume returns the cursor that goes on where nothing was found: at the end, or before what has
// begun there.
func (f *lineFinder) resume() int64 {
	at := f.next
	for stream := range f.streams {
		if f.torn[stream].Open {
			return f.lost - 1 // of what was dropped, so that the fragment is known again
		}
		at = min(at, f.streams[stream].open(f.next))
		if v := &f.views[1+stream]; v.open {
			at = min(at, v.begun)
		}
	}
	return at
}

// counts reports whether a view is another than those before it.
func (f *lineFinder) counts(view int) bool { return view == 0 || f.seen[0] && f.seen[1] }

// match notes the first line of text that matches, which ends by end.
func (f *lineFinder) match(text string, end int64) bool {
	for line := range strings.Lines(visible.Text(text)) {
		if line = strings.TrimSuffix(line, "\n"); f.re.MatchString(line) {
			f.line, f.end, f.found = strings.Clone(line), end, true
			return true
		}
	}
	return false
}

func (v *drawn) write(stream procession.Stream, data []byte, offset int64) {
	v.ending.Rows = 1
	v.ending.Write(data)
	v.screen.Write(data)
	if !v.open {
		v.begun = offset
	}
	v.open = !bytes.ContainsAny(data[len(data)-1:], lineFeeds)
	v.end, v.last = offset+int64(len(data)), stream
	if v.held += len(data); v.held > mostDrawn && (!v.open || v.held > 2*mostDrawn) {
		v.ending, v.screen, v.held = plaintext.Renderer{}, plaintext.Renderer{}, 0
	}
}

// mostDrawn is about how much of a view is held, in bytes. It begins anew then, with a line if
// there is one that is not twice as long.
const mostDrawn = 256 << 10

// ended takes the lines that have ended, or can change no more.
func (v *drawn) ended() string { return v.ending.Lines() + v.screen.Lines() }

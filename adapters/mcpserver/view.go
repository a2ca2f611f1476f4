package mcpserver

import (
	"context"
	"strings"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/visible"
	"github.com/procession-go/procession/plaintext"
)

// What becomes of raw output before a model reads it: it is cleaned, what cannot be
// seen is shown, and it is filtered by lines and capped.

// view is output as a model reads it.
type view struct {
	output, stdout, stderr shown
}

// shown is the end of a text.
type shown struct {
	text string
	cut  int  // bytes before it that were left out for want of space
	open bool // the whole ends in a line without a newline that does not match
}

// matched reports whether there is anything of the lines that were looked for.
func (v view) matched() bool {
	return v.output.text != "" || v.stdout.text != "" || v.stderr.text != "" || v.cut()
}

// same reports whether v shows what w does.
func (v view) same(w view) bool {
	return v.output.same(w.output) && v.stdout.same(w.stdout) && v.stderr.same(w.stderr)
}

func (s shown) same(t shown) bool { return s.text == t.text && s.cut == t.cut }

// cut reports whether something was left out for want of space.
func (v view) cut() bool { return v.output.cut > 0 || v.stdout.cut > 0 || v.stderr.cut > 0 }

// viewOf cleans, filters and caps each of the three views at limit bytes.
func viewOf(segments []procession.Segment, f filter, limit int) view {
	return viewsOf(segments, func(keep func(procession.Stream) bool) shown { return show(segments, keep, f, limit) })
}

// viewsOf are the three views of segments, of which end shows each.
func viewsOf(segments []procession.Segment, end func(keep func(procession.Stream) bool) shown) view {
	both := end(either)
	switch out, err := has(segments, procession.Stdout), has(segments, procession.Stderr); {
	case out && err:
		return view{both, end(only(procession.Stdout)), end(only(procession.Stderr))}
	case err:
		return view{output: both, stderr: both}
	default:
		return view{output: both, stdout: both}
	}
}

// show renders piece by piece, so that it holds little more than what it returns,
// however much is retained. All of it is rendered: unless it is plain (see plains), it is not
// known without that how much was left out, nor what an early sequence does to a late line.
func show(segments []procession.Segment, keep func(procession.Stream) bool, f filter, limit int) shown {
	var r plaintext.Renderer
	lines, end := sieve{filter: f}, tail{limit: limit}
	for _, s := range segments {
		if keep(s.Stream) {
			r.Write(s.Data)
			end.write(lines.pass(visible.Text(r.Lines())))
		}
	}
	rest := visible.Text(r.Rest())
	end.write(lines.pass(rest))
	last := rest[strings.LastIndexByte(rest, '\n')+1:]
	var v shown
	v.text, v.cut = end.kept()
	v.open = last != "" && f.re != nil && !f.re.MatchString(last)
	return v
}

func either(procession.Stream) bool { return true }

func only(stream procession.Stream) func(procession.Stream) bool {
	return func(s procession.Stream) bool { return s == stream }
}

func has(segments []procession.Segment, stream procession.Stream) bool {
	for _, s := range segments {
		if s.Stream == stream {
			return true
		}
	}
	return false
}

// tail keeps the end of a text that comes in pieces.
type tail struct {
	limit int // bytes
	held  []byte
	gone  int // bytes before held
}

// spare is what a tail may hold beyond its limit before it lets go of it.
const spare = 64 << 10

func (t *tail) write(text string) {
	if over := t.over(len(text)); over > 0 {
		t.gone += len(t.held) + over
		t.held, text = t.held[:0], text[over:]
	}
	t.held = append(t.held, text...)
	if over := t.over(len(t.held)); over > 0 && over-t.limit > spare {
		t.gone += over
		t.held = append(t.held[:0], t.held[over:]...)
	}
}

// over returns how many of n bytes need not be held: keepEnd looks at the byte before limit.
func (t *tail) over(n int) int { return n - t.limit - 1 }

// kept returns the end as keepEnd has it, and how many bytes of the whole are before
// it.
func (t *tail) kept() (string, int) {
	end, cut := keepEnd(string(t.held), t.limit)
	return strings.Clone(end), t.gone + cut
}

// turn waits for one of the few places to clean output at the same time, which
// takes memory and time. done gives it back.
func (s *Server) turn(ctx context.Context) (done func(), err error) {
	select {
	case s.turns <- struct{}{}:
		return func() { <-s.turns }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

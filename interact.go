package procession

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/procession-go/procession/internal/lines"
	"github.com/procession-go/procession/messages"
)

// Write writes to the process's standard input or terminal, after what was
// written before, and returns when all of it is in the pipe. A process that does
// not read makes it wait, and the context ends that. A process that has ended or
// has no standard input is ErrStdinClosed. n is how much was written in any case.
func (e *Engine) Write(ctx context.Context, id string, data []byte) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r, answered := e.replies.Get(), false
	defer func() { e.replies.Put(r, answered) }()
	e.config.Ask(ctx, &messages.WriteStdin{ID: id, Data: data}, r.PID)
	ended := ctx.Done()
	for {
		select {
		case answer := <-r.Answered():
			answered = ended != nil // a Cancel that is under way might be answered, too
			done, err := as[*messages.Done](answer)
			if refusal, ok := err.(*messages.Error); ok {
				return refusal.Written, err
			} else if err != nil {
				return 0, err
			}
			if done.Written < len(data) {
				return done.Written, ctx.Err()
			}
			return done.Written, nil
		case <-ended:
			// The answer follows at once, and data is not used any more then.
			ended = nil
			e.config.Send(&messages.Cancel{ID: id}, r.PID)
		}
	}
}

// CloseStdin gives the process end-of-file after what was written before. Again
// is no error.
func (e *Engine) CloseStdin(ctx context.Context, id string) error {
	_, err := ask[*messages.Done](ctx, e, id, &messages.CloseStdin{ID: id})
	return err
}

// Resize changes the size of the process's terminal, of which it learns by
// SIGWINCH. Without a terminal it is ErrNoTerminal.
func (e *Engine) Resize(ctx context.Context, id string, size Size) error {
	_, err := ask[*messages.Done](ctx, e, id, &messages.ResizeTerminal{ID: id, Size: size})
	return err
}

// WaitReady returns when the process is ready. If it ends before, the error says
// why and matches ErrExited.
func (e *Engine) WaitReady(ctx context.Context, id string) error {
	_, err := ask[*messages.Done](ctx, e, id, &messages.WaitReady{ID: id})
	return err
}

// WaitFor returns the first line of either stream that re matches, from the
// start of what is retained on. A line that has not been ended yet counts too,
// so that a prompt is found, once nothing more has come of it for 20 ms; a line
// does not go on from one incarnation to the next. If the
// process ends without such a line, the error matches ErrExited. Of a line
// longer than 64 KiB only its beginning is looked at.
func (e *Engine) WaitFor(ctx context.Context, id string, re *regexp.Regexp) (line string, err error) {
	if re == nil {
		return "", &messages.Error{Code: messages.CodeInvalidRequest, ID: id, Message: "wait for: no regular expression"}
	}
	search := lineSearch{re: re}
	o := ReadOptions{Wait: -1}
	for {
		chunk, err := e.Read(ctx, id, o)
		switch {
		case err != nil:
			return "", err
		case search.feed(chunk):
			return search.line, nil
		case search.begun() && (chunk.EOF || len(chunk.Segments) == 0):
			return search.line, nil
		case chunk.EOF:
			return "", &messages.Error{Code: messages.CodeExited, ID: id,
				Message: fmt.Sprintf("%s: it ended (%v) without a line that matches %q", id, chunk.Exit, re)}
		}
		o.Cursor, o.Wait = chunk.Next, -1
		if search.begun() {
			o.Wait = lineSettle
		}
	}
}

// lineSettle is how long nothing must come of a line that has begun, and
// matches, for it to be taken as it is.
const lineSettle = 20 * time.Millisecond

// lineSearch looks for a line in output that comes in chunks.
type lineSearch struct {
	re       *regexp.Regexp
	scanners [2]lines.Scanner // by stream
	line     string
}

// feed reports whether a line that has ended matches.
func (s *lineSearch) feed(chunk Chunk) bool {
	if chunk.Dropped > 0 { // what comes next is the middle of some line
		s.scanners = [2]lines.Scanner{}
	}
	for _, segment := range chunk.Segments {
		if slices.Contains(chunk.Marks, segment.Offset) { // what had begun ends with its incarnation
			if s.begun() {
				return true
			}
			s.scanners = [2]lines.Scanner{}
		}
		if !s.scanners[segment.Stream].Feed(segment.Data, func(line []byte) bool { return !s.match(line) }) {
			return true
		}
	}
	return false
}

// begun reports whether a line that has not ended matches.
func (s *lineSearch) begun() bool {
	for i := range s.scanners {
		if rest := s.scanners[i].Rest(); len(rest) > 0 && s.match(rest) {
			return true
		}
	}
	return false
}

func (s *lineSearch) match(line []byte) bool {
	if !s.re.Match(line) {
		return false
	}
	s.line = string(line)
	return true
}

package procession

import (
	"context"

	"github.com/procession-go/procession/internal/posted"
	"github.com/procession-go/procession/messages"
)

// Write writes to the process's standard input or terminal, after everything that was written
// before. It returns when all of data is in the pipe. If the process does not read, Write
// waits until the context ends. Write returns ErrStdinClosed if the process has ended or has
// no standard input. It returns ErrInvalidRequest, and does not write the line, if a line is
// longer than the terminal takes (4,095 bytes on Linux; no limit in raw mode). n is how many
// bytes were written, also with an error.
func (e *Engine) Write(ctx context.Context, id string, data []byte) (n int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r, answered := e.replies.Get(), false
	defer func() { e.replies.Put(r, answered) }()
	e.config.Ask(ctx, &messages.WriteStdin{ID: id, Data: data}, r.PID)
	posted.Tell(ctx)
	ended := ctx.Done()
	for {
		select {
		case answer := <-r.Answered():
			answered = ended != nil // the Cancel that is under way would have no write to answer
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
			// The answer follows at once. After it, data is no longer used.
			ended = nil
			e.config.Send(&messages.Cancel{ID: id}, r.PID)
		}
	}
}

// CloseStdin gives the process an end-of-file, after everything that was written
// before. Closing again is not an error. On a terminal, each call types the
// end-of-file character once; CloseStdin returns ErrUnsupported if the terminal has
// none at present, because it is in raw mode.
func (e *Engine) CloseStdin(ctx context.Context, id string) error {
	_, err := ask[*messages.Done](ctx, e, id, &messages.CloseStdin{ID: id})
	return err
}

// Resize changes the size of the process's terminal; the process is told by
// SIGWINCH. Resize returns ErrNoTerminal if the process has no terminal.
func (e *Engine) Resize(ctx context.Context, id string, size Size) error {
	_, err := ask[*messages.Done](ctx, e, id, &messages.ResizeTerminal{ID: id, Size: size})
	return err
}

// WaitReady returns when the process is ready. If the process ends before that, the
// error says why and matches ErrExited.
func (e *Engine) WaitReady(ctx context.Context, id string) error {
	_, err := ask[*messages.Done](ctx, e, id, &messages.WaitReady{ID: id})
	return err
}

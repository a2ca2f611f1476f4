package procession

import (
	"context"

	"github.com/procession-go/procession/internal/posted"
	"github.com/procession-go/procession/messages"
)

// Write writes to the process's standard input or terminal, after what was
// written before, and returns when all of it is in the pipe. A process that does
// not read makes it wait, and the context ends that. A process that has ended or
// has no standard input is ErrStdinClosed; a line that is longer than its terminal takes
// (4,095 bytes on Linux, none in raw mode) is ErrInvalidRequest, and not written. n is how much was written in any case.
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
// is no error. On a terminal it is typed, once each time; if that has none at present,
// because it is in raw mode, that is ErrUnsupported.
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

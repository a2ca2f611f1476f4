package mcpserver

import (
	"context"
	"regexp"
	"time"

	"github.com/procession-go/procession"
)

// How long output is given to settle before it is taken as it is: until nothing
// more has come for a while, but not for ever, because some processes never stop.
const (
	settle     = 20 * time.Millisecond
	settleMost = 100 * time.Millisecond
)

// bite is how many bytes a waiter takes at a time, so that those who wait for
// their turn hold little.
const bite = 256 << 10

// waiter waits for output to be returned: from a cursor on, and if there is a
// filter, for a line that matches.
type waiter struct {
	server   *Server
	id       string
	search   lineSearch
	from     int64     // the cursor of what is read next
	deadline time.Time // of all waiting
	begun    time.Time // when something came that was not looked at, zero if nothing has
	over     bool      // it makes no sense to wait any longer
}

func newWaiter(server *Server, id string, cursor int64, re *regexp.Regexp, wait time.Duration) *waiter {
	return &waiter{server: server, id: id, from: cursor, search: lineSearch{re: re}, deadline: time.Now().Add(wait)}
}

// wait returns when there seems to be something to return, or when it is over: the
// process has ended, or the time.
func (w *waiter) wait(ctx context.Context) error {
	for {
		o := procession.ReadOptions{Cursor: w.from, MaxBytes: bite, Wait: w.patience(time.Now())}
		chunk, err := w.server.engine.Read(ctx, w.id, o)
		if err != nil {
			return err
		}
		w.from = chunk.Next
		found, err := w.look(ctx, chunk)
		if err != nil {
			return err
		}
		w.over = chunk.EOF || !time.Now().Before(w.deadline)
		if found || w.over {
			return nil
		}
	}
}

// patience returns how long to wait for the next output.
func (w *waiter) patience(now time.Time) time.Duration {
	left := w.deadline.Sub(now)
	if !w.begun.IsZero() {
		left = min(left, settle, w.begun.Add(settleMost).Sub(now))
	}
	return max(left, 0)
}

// look reports whether what has come has settled, and is what is waited for.
func (w *waiter) look(ctx context.Context, chunk procession.Chunk) (bool, error) {
	done, err := w.server.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	w.search.feed(chunk)
	quiet := len(chunk.Segments) == 0
	if !quiet && w.begun.IsZero() {
		w.begun = time.Now()
	}
	if w.begun.IsZero() || !quiet && time.Since(w.begun) < settleMost {
		return false, nil
	}
	w.begun = time.Time{}
	return w.search.take(), nil
}

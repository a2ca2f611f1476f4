package acpterm

import (
	"context"
	"maps"
	"slices"

	"github.com/coder/acp-go-sdk"

	"github.com/procession-go/procession"
)

// EndSession releases all terminals of a session, also those that are just being
// created. Call it when a session has ended; ACP itself has the agent release each
// terminal, which an agent that fails does not do. For a session without terminals
// it does nothing. The session's ID may be used again after it, as session/load
// does.
//
// If it returns an error, the context's or ErrClosed, call it again, unless the
// engine was shut down.
func (t *Terminals) EndSession(ctx context.Context, sessionID acp.SessionId) error {
	if err := t.settle(ctx, sessionID); err != nil {
		return err
	}
	_, err := t.engine.ReleaseAll(ctx, procession.Selector{Labels: t.labels(sessionID)})
	return err
}

// EndAllSessions does what EndSession does, for all sessions. Call it when the
// connection to the agent has ended.
func (t *Terminals) EndAllSessions(ctx context.Context) error {
	t.mu.Lock()
	sessions := slices.Collect(maps.Keys(t.creating))
	t.mu.Unlock()
	for _, id := range sessions {
		if err := t.settle(ctx, id); err != nil {
			return err
		}
	}
	_, err := t.engine.ReleaseAll(ctx, procession.Selector{Labels: map[string]string{LabelConnection: t.connection}})
	return err
}

// creations are the terminals of a session that are being created: those begun
// before an end of the session, or those since.
type creations struct {
	count int
	ended bool          // the session has ended since: no terminal may be left
	none  chan struct{} // closed when count is 0 again
}

func (t *Terminals) begin(session acp.SessionId) *creations {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := t.creating[session]
	if len(all) == 0 || all[len(all)-1].ended {
		all = append(all, &creations{none: make(chan struct{})})
		t.creating[session] = all
	}
	c := all[len(all)-1]
	c.count++
	return c
}

func (t *Terminals) finish(session acp.SessionId, c *creations) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c.count--
	if c.count > 0 {
		return
	}
	close(c.none)
	left := slices.DeleteFunc(t.creating[session], func(other *creations) bool { return other == c })
	if t.creating[session] = left; len(left) == 0 {
		delete(t.creating, session)
	}
}

func (t *Terminals) ended(c *creations) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return c.ended
}

// settle waits until no terminal of the session is being created, those aside
// that come after it. Whoever else waits for the same takes nothing away.
func (t *Terminals) settle(ctx context.Context, session acp.SessionId) error {
	t.mu.Lock()
	pending := slices.Clone(t.creating[session])
	for _, c := range pending {
		c.ended = true
	}
	t.mu.Unlock()
	for _, c := range pending {
		select {
		case <-c.none:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

package mcpserver

import (
	"context"
	"errors"
	"slices"

	"github.com/procession-go/procession"
)

// retain releases what of the session has ended before its newest results. No
// session takes those of another away.
func (s *session) retain(ctx context.Context) {
	limit := s.server.options.Retention
	s.mu.Lock()
	s.known++
	enough := limit < 0 || s.known <= limit
	s.mu.Unlock()
	if enough {
		return
	}
	processes, err := s.list(ctx)
	if err != nil {
		return // the engine has ended, and everything with it
	}
	old := surplus(processes, limit)
	for _, id := range old {
		err := s.server.engine.Release(ctx, id)
		if err != nil && !errors.Is(err, procession.ErrNotFound) && !errors.Is(err, procession.ErrClosed) {
			s.server.options.Logger.Error("cannot release an old process", "id", id, "error", err)
		}
	}
	s.mu.Lock()
	s.known = len(processes) - len(old)
	s.mu.Unlock()
}

// surplus returns the processes that have ended, but for the limit newest of them.
func surplus(processes []procession.Info, limit int) (ids []string) {
	ended := slices.DeleteFunc(slices.Clone(processes), func(p procession.Info) bool { return p.Exit == nil })
	slices.SortStableFunc(ended, func(a, b procession.Info) int { return a.Exit.Time.Compare(b.Exit.Time) })
	for _, p := range ended[:max(0, len(ended)-limit)] {
		ids = append(ids, p.ID)
	}
	return ids
}

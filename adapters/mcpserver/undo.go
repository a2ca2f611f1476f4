package mcpserver

import (
	"context"
	"errors"
	"maps"

	"github.com/procession-go/procession"
)

// A process of which its client was not told, because the call that started it was cancelled
// before its answer, would run on unknown to it. So that start is undone.

// startLabel is the label of one start, so that its process can be found although its ID is
// not known: the call may end while the program is still being executed.
const startLabel = "procession.mcp-start"

// ownLabels are the server's. Clients neither see nor set them.
var ownLabels = []string{SessionLabel, startLabel}

// labelled are labels and one more.
func labelled(labels map[string]string, name, value string) map[string]string {
	all := maps.Clone(labels)
	if all == nil {
		all = map[string]string{}
	}
	all[name] = value
	return all
}

// undo kills and forgets a process that was just started. It returns when nothing of it is
// left.
func (s *session) undo(id string) {
	s.undone(s.server.engine.Release(context.Background(), id))
}

// undoStart is undo of the start that has that label, whether it has come to its end or not.
func (s *session) undoStart(label string) {
	start := procession.Selector{Labels: map[string]string{startLabel: label}}
	_, err := s.server.engine.ReleaseAll(context.Background(), start)
	s.undone(err)
}

func (s *session) undone(err error) {
	if err != nil && !errors.Is(err, procession.ErrNotFound) && !errors.Is(err, procession.ErrClosed) {
		s.server.options.Logger.Error("cannot release a process whose start was cancelled", "error", err)
	}
}

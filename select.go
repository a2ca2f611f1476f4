package procession

import (
	"context"
	"slices"

	"github.com/procession-go/procession/messages"
)

// List describes processes in order of creation: all of them, or those that every
// selector selects.
func (e *Engine) List(ctx context.Context, selectors ...Selector) ([]Info, error) {
	if len(selectors) == 0 {
		selectors = []Selector{{}}
	}
	var selected []Info
	for i, s := range selectors {
		list, err := ask[*messages.ProcessList](ctx, e, "", &messages.ListProcesses{Selector: s.Clone()})
		if err != nil {
			return nil, err
		}
		if i == 0 {
			selected = list.Processes
			continue
		}
		selected = slices.DeleteFunc(selected, func(info Info) bool {
			return !slices.ContainsFunc(list.Processes, func(other Info) bool { return other.ID == info.ID })
		})
	}
	return selected, nil
}

// KillAll kills all processes that s selects at the same time, each as Kill does.
// It returns how many it killed; processes that had ended already do not count.
func (e *Engine) KillAll(ctx context.Context, s Selector) (int, error) {
	return count(ask[*messages.Count](ctx, e, "", &messages.KillAll{Selector: s.Clone()}))
}

// ReleaseAll releases all processes that s selects at the same time, each as
// Release does. It returns how many it released.
func (e *Engine) ReleaseAll(ctx context.Context, s Selector) (int, error) {
	return count(ask[*messages.Count](ctx, e, "", &messages.ReleaseAll{Selector: s.Clone()}))
}

func count(c *messages.Count, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	return c.N, nil
}

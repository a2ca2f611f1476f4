//go:build linux

package procession_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
)

// What was released is nowhere any more, whatever the actor system remembers of its actor.
func TestReleasedOutputIsFreed(t *testing.T) {
	const processes = 12 // of 1 MiB each
	each := func(ctx context.Context, e *procession.Engine, ids []string) error {
		for _, id := range ids {
			if err := e.Release(ctx, id); err != nil {
				return err
			}
		}
		return nil
	}
	for name, test := range map[string]struct {
		kept    int // of those that have ended
		release func(context.Context, *procession.Engine, []string) error
	}{
		"one by one": {-1, each},
		"all at once": {-1, func(ctx context.Context, e *procession.Engine, _ []string) error {
			_, err := e.ReleaseAll(ctx, procession.Selector{})
			return err
		}},
		"the newest first": {-1, func(ctx context.Context, e *procession.Engine, ids []string) error {
			slices.Reverse(ids)
			return each(ctx, e, ids)
		}},
		"by themselves": {0, func(context.Context, *procession.Engine, []string) error { return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t, procession.WithRetention(test.kept, 0))
			before := liveHeap()
			var ids []string
			for range processes {
				ids = append(ids, start(t, e, procession.Shell("yes procession | head -c 1048576")))
			}
			for _, id := range ids {
				if _, err := e.Wait(within(t), id); !errors.Is(err, procession.ErrNotFound) { // released already
					require.NoError(t, err)
				}
			}
			require.NoError(t, test.release(within(t), e, ids))
			require.Eventually(t, func() bool { return liveHeap()-before < 2<<20 }, patience, 20*time.Millisecond,
				"the output of what was released is held")
			left, err := e.List(within(t))
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

// liveHeap is how many bytes are in use after a collection.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what was in a sync.Pool survives one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

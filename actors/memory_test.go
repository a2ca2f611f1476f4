//go:build linux

package actors_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// liveHeap is how many bytes are in use after a collection.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC() // what was in a sync.Pool survives one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

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
			e := enginetest.New(t, procession.WithRetention(test.kept, 0))
			before := liveHeap()
			var ids []string
			for range processes {
				ids = append(ids, enginetest.Start(t, e, procession.Shell("yes procession | head -c 1048576")))
			}
			for _, id := range ids {
				if _, err := e.Wait(testkit.Within(t), id); err != nil {
					require.ErrorIs(t, err, procession.ErrNotFound) // released already
				}
			}
			require.NoError(t, test.release(testkit.Within(t), e, ids))
			require.Eventually(t, func() bool { return liveHeap()-before < 2<<20 }, testkit.Patience, 20*time.Millisecond,
				"the output of what was released is held")
			left, err := e.List(testkit.Within(t))
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

// A process that is started again and again costs what it prints, and no block each time.
func TestRestartsThatPrintLittleCostLittle(t *testing.T) {
	e := enginetest.New(t)
	const restarts = 600
	spec := procession.Shell("echo up!; echo no >&2; exit 1")
	spec.Restart = procession.Policy{When: procession.OnFailure, MaxRestarts: restarts, Window: time.Hour, MinBackoff: 1, MaxBackoff: 1}
	before := liveHeap()
	id := enginetest.Start(t, e, spec)
	enginetest.Wait(t, e, id)
	assert.EqualValues(t, (restarts+1)*7, enginetest.Info(t, e, id).Retained)
	assert.Less(t, liveHeap()-before, int64(512<<10), "bytes of heap; a block of each stream each time would be more than twice that")
}

//go:build linux

package procession_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// awaitCount waits until the engine knows that many processes, and returns them.
func awaitCount(t *testing.T, e *procession.Engine, n int) (list []procession.Info) {
	t.Helper()
	ctx := testkit.Within(t)
	testkit.Eventually(t, func(c *assert.CollectT) {
		var err error
		list, err = e.List(ctx)
		require.NoError(c, err)
		assert.Len(c, list, n)
	})
	return list
}

func TestFaultIDsAreTwelveHexDigits(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	seen := map[string]bool{}
	for range 50 {
		id := enginetest.Start(t, e, procession.Shell("true"))
		assert.Regexp(t, `^proc_[0-9a-f]{12}$`, id)
		assert.NotContains(t, seen, id)
		seen[id] = true
	}
	for position := len("proc_"); position < len("proc_")+12; position++ {
		digits := map[byte]bool{}
		for id := range seen {
			digits[id[position]] = true
		}
		assert.GreaterOrEqual(t, len(digits), 4, "different characters at %d of 50 IDs", position)
	}
}

func TestFaultRetentionKeepsTheNewest(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithRetention(3, 0))
	running := enginetest.Start(t, e, procession.Shell("sleep 1000"))
	var ids []string
	for range 6 {
		ids = append(ids, enginetest.Start(t, e, procession.Shell("echo hello")))
		enginetest.Wait(t, e, ids[len(ids)-1])
	}
	awaitCount(t, e, 4) // three, and the running one
	for i, id := range append(ids, running) {
		_, err := e.Output(testkit.Within(t), id)
		if i < 3 {
			assert.ErrorIs(t, err, procession.ErrNotFound, "process %d", i)
		} else {
			assert.NoError(t, err, "process %d", i)
		}
	}
}

// One that has ended but has left something behind that is slow to end is
// forgotten late; no other is forgotten in its place.
func TestFaultRetentionForgetsNoMoreThanItMust(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithRetention(2, 0), procession.WithGrace(2*time.Second))
	oldest := enginetest.Start(t, e, procession.Shell("trap '' TERM; sleep 1000 >/dev/null 2>&1 &"))
	enginetest.Wait(t, e, oldest)
	var newest []string
	for range 2 {
		id := enginetest.Start(t, e, procession.Shell("echo hello"))
		enginetest.Wait(t, e, id)
		newest = append(newest, id)
	}
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.GreaterOrEqual(t, len(list), 2, "two are to be kept")
	for _, id := range newest {
		_, err := e.Output(testkit.Within(t), id)
		assert.NoError(t, err, "one of the two newest")
	}
	awaitCount(t, e, 2) // without the oldest
}

func TestFaultRetentionByAge(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithRetention(-1, 100*time.Millisecond))
	running, begin := enginetest.Start(t, e, procession.Shell("sleep 1000")), time.Now()
	for range 3 {
		enginetest.Wait(t, e, enginetest.Start(t, e, procession.Shell("true")))
	}
	left := awaitCount(t, e, 1)
	assert.Equal(t, running, left[0].ID)
	assert.GreaterOrEqual(t, time.Since(begin), 100*time.Millisecond, "the others were forgotten too early")
}

//go:build linux

package procession_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/supervisor"
)

// A process that is started again and again costs what it prints, and no block each time.
func TestRestartsThatPrintLittleCostLittle(t *testing.T) {
	e := newEngine(t)
	const restarts = 600
	heap := func() int64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	spec := procession.Shell("echo up!; echo no >&2; exit 1")
	spec.Restart = supervisor.Policy{When: procession.OnFailure, MaxRestarts: restarts, Window: time.Hour, MinBackoff: 1, MaxBackoff: 1}
	before := heap()
	id := start(t, e, spec)
	_, err := e.Wait(within(t), id)
	require.NoError(t, err)
	i := info(t, e, id)
	assert.EqualValues(t, (restarts+1)*7, i.Retained)
	assert.Less(t, heap()-before, int64(512<<10), "bytes of heap; a block of each stream each time would be more than twice that")
}

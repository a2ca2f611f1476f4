//go:build linux

package procession_test

import (
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
	spec := procession.Shell("echo up!; echo no >&2; exit 1")
	spec.Restart = supervisor.Policy{When: procession.OnFailure, MaxRestarts: restarts, Window: time.Hour, MinBackoff: 1, MaxBackoff: 1}
	before := liveHeap()
	id := start(t, e, spec)
	_, err := e.Wait(within(t), id)
	require.NoError(t, err)
	i := info(t, e, id)
	assert.EqualValues(t, (restarts+1)*7, i.Retained)
	assert.Less(t, liveHeap()-before, int64(512<<10), "bytes of heap; a block of each stream each time would be more than twice that")
}

//go:build amd64 || arm64

package spawn

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// TestTheCostOfAStartDoesNotGrowWithTheDescriptors opens many descriptors between one
// measurement and the next. A fork that copies them takes milliseconds longer.
func TestTheCostOfAStartDoesNotGrowWithTheDescriptors(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	var limit unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_NOFILE, &limit))
	many := int(min(limit.Cur, 16_000)) - 1_000
	if many < 3_000 {
		t.Skipf("the limit on descriptors is only %d", limit.Cur)
	}
	f, cmd := scripts(t), command(testkit.Program(t, "true"))
	median := func() time.Duration {
		var all []time.Duration
		for range 50 {
			begun := time.Now()
			pid := born(t, f, &Program{Cmd: cmd, Files: quiet()})
			all = append(all, time.Since(begun))
			ended(t, pid)
		}
		slices.Sort(all)
		return all[len(all)/2]
	}
	median()
	// The machine may be busy at times: one good pair of measurements is enough.
	var few, lots time.Duration
	for range 5 {
		few = median()
		var open []int
		for range many {
			fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 100)
			require.NoError(t, err)
			open = append(open, fd)
		}
		lots = median()
		for _, fd := range open {
			unix.Close(fd)
		}
		t.Logf("%v with few descriptors, %v with %d more", few, lots, many)
		if lots <= 2*few {
			return
		}
	}
	assert.LessOrEqual(t, lots, 2*few)
}

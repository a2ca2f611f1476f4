//go:build linux

package procession_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// A process whose log is full, which nobody reads, has ended when it has: its end takes no
// room.
func TestTheEndOfAFullLogIsAtOnce(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"more than the limit":   "echo 0123456789",
		"on standard error":     "echo 0123456789 >&2",
		"on both":               "echo 0123456789; echo 0123456789 >&2",
		"of a child":            "sh -c 'echo 0123456789'; exit 0",
		"as much as a pipe has": "head -c 60000 /dev/zero",
	} {
		for _, pty := range []bool{false, true} {
			t.Run(name+map[bool]string{true: ", on a terminal"}[pty], func(t *testing.T) {
				t.Parallel()
				e := enginetest.New(t)
				spec := procession.Shell(line)
				spec.Overflow, spec.OutputLimit, spec.Grace = procession.Block, 3, time.Minute
				if pty {
					if name == "as much as a pipe has" {
						t.Skip("a terminal takes less")
					}
					spec.PTY = &procession.Size{Rows: 24, Cols: 80}
				}
				id := enginetest.Start(t, e, spec)
				exit := enginetest.Wait(t, e, id)
				assert.False(t, exit.OutputCut)
				assert.Equal(t, procession.CauseExited, exit.Cause)
			})
		}
	}
}

// What is started again while its log is full waits for a reader, for one grace.
func TestARestartWhileTheLogIsFull(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := procession.Shell("echo 0123456789; exit 1")
	spec.Overflow, spec.OutputLimit, spec.Grace = procession.Block, 3, 3*time.Second
	spec.Restart = procession.Policy{When: procession.OnFailure, MaxRestarts: 1, MinBackoff: 1, MaxBackoff: 1}
	begun := time.Now()
	id := enginetest.Start(t, e, spec)
	exit := enginetest.Wait(t, e, id)
	assert.True(t, exit.OutputCut)
	assert.GreaterOrEqual(t, time.Since(begun), spec.Grace)
	assert.Less(t, time.Since(begun), 2*spec.Grace-time.Second/2)
}

// A Kill of what has printed more than there is room for is at once, too.
func TestAKillWhileTheLogIsFull(t *testing.T) {
	testkit.Needs(t, "yes")
	t.Parallel()
	for _, line := range []string{"echo 0123456789; sleep 1000", "yes", "exec yes >&2"} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			e := enginetest.New(t)
			spec := procession.Shell(line)
			spec.Overflow, spec.OutputLimit, spec.Grace = procession.Block, 3, time.Minute
			id := enginetest.Start(t, e, spec)
			isHeldUp(t, e, id, 3)
			begun := time.Now()
			assert.True(t, enginetest.Kill(t, e, id).OutputCut)
			assert.Less(t, time.Since(begun), 20*time.Second)
		})
	}
}

func TestTheGreatestOutputLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int64{math.MaxInt64, math.MaxInt64 - 1, math.MaxInt64 - 65536, math.MaxInt64 / 2} {
		for _, overflow := range []procession.Overflow{procession.DropOldest, procession.Block} {
			e := enginetest.New(t)
			spec := procession.Shell("echo hi; echo there >&2")
			spec.OutputLimit, spec.Overflow = limit, overflow
			id := enginetest.Start(t, e, spec)
			require.Equal(t, 0, enginetest.Wait(t, e, id).Code)
			out := enginetest.Output(t, e, id)
			assert.Equal(t, "hi\n", out.Stdout(), "%d", limit)
			assert.Equal(t, "there\n", out.Stderr(), "%d", limit)
			assert.False(t, out.Truncated())
		}
	}
}

//go:build amd64 || arm64

package spawn

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// What Birth tells, and when.

func TestABirthThatIsOverStaysOver(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		b := f.Prepare(&Program{Cmd: command(testkit.Program(t, "true")), Files: quiet()})
		b.Start()
		require.True(t, b.Wait(-1))
		over := 0
		const times = 1000
		for range times {
			if b.Wait(0) {
				over++
			}
		}
		assert.Equal(t, times, over, "Wait(0) must not be a matter of luck")
		assert.True(t, b.Wait(time.Millisecond))
		pid, err := b.Result()
		require.NoError(t, err)
		assert.Equal(t, pid, b.PID())
		ended(t, pid)
	})
}

func TestABirthIsNotOverBeforeItHasBegun(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		b := f.Prepare(&Program{Cmd: command(testkit.Program(t, "true")), Files: quiet()})
		assert.Zero(t, b.PID())
		begun := time.Now()
		assert.False(t, b.Wait(0))
		assert.False(t, b.Wait(5*time.Millisecond))
		assert.GreaterOrEqual(t, time.Since(begun), 5*time.Millisecond)
		noChild(t)
	})
}

func TestABirthThatIsNeverBegunLeavesNothing(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		for range 200 {
			f.Prepare(&Program{Cmd: command("/no/such/program"), Files: quiet()})
		}
		output(t, f, helper("report"))
		noChild(t)
	})
}

func TestManyMayWaitForOneBirth(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		for range 4 {
			b := f.Prepare(&Program{Cmd: command(testkit.Program(t, "true")), Files: quiet()})
			var waiting sync.WaitGroup
			for i := range 8 {
				waiting.Go(func() {
					if i%2 == 0 {
						assert.True(t, b.Wait(-1))
					} else {
						for !b.Wait(time.Millisecond) {
						}
					}
				})
			}
			b.Start()
			waiting.Wait()
			pid, err := b.Result()
			require.NoError(t, err)
			ended(t, pid)
		}
	})
}

func TestTheProcessIDIsKnownBeforeTheBirthIsOver(t *testing.T) {
	b := unborn(t, scripts(t))
	assert.False(t, b.Wait(0))
	require.NoError(t, unix.Kill(b.PID(), unix.SIGKILL))
	require.True(t, b.Wait(-1))
	pid, err := b.Result()
	require.NoError(t, err)
	assert.Equal(t, unix.SIGKILL, ended(t, pid).Signal())
}

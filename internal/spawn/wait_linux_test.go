//go:build amd64 || arm64

package spawn

import (
	"os"
	"os/signal"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// How long Birth.Wait takes for a child that is not born.

// waits are how long Wait(d) takes, n times. None may take longer than 5 s.
func waits(t *testing.T, d time.Duration, n int) (all []time.Duration) {
	t.Helper()
	b := unborn(t, scripts(t))
	for range n {
		begun := time.Now()
		enough := time.AfterFunc(5*time.Second, func() { unix.Kill(b.PID(), unix.SIGKILL) })
		over := b.Wait(d)
		enough.Stop()
		require.False(t, over, "Wait(%v) has not come back for 5 s", d)
		all = append(all, time.Since(begun))
		require.GreaterOrEqual(t, all[len(all)-1], d)
	}
	slices.Sort(all)
	return all
}

func TestAWaitTakesAsLongAsAsked(t *testing.T) {
	for _, d := range []time.Duration{0, time.Microsecond, 2 * time.Millisecond, 8 * time.Millisecond, 50 * time.Millisecond, 200 * time.Millisecond} {
		t.Run(d.String(), func(t *testing.T) {
			all := waits(t, d, 5)
			assert.Less(t, all[2], d+100*time.Millisecond, "%v", all)
		})
	}
}

// TestAWaitTakesAsLongAsAskedWhileGarbageIsCollected has the runtime interrupt threads by
// signals.
func TestAWaitTakesAsLongAsAskedWhileGarbageIsCollected(t *testing.T) {
	stop := make(chan struct{})
	var collecting sync.WaitGroup
	defer collecting.Wait()
	defer close(stop)
	for range 2 {
		collecting.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.GC()
				}
			}
		})
	}
	begun := time.Now()
	all := waits(t, 2*time.Millisecond, 20)
	assert.Less(t, time.Since(begun), 20*100*time.Millisecond, "%v", all)
}

// TestAWaitTakesAsLongAsAskedWhileSignalsCome sends some to all threads, but to the one
// that forks.
func TestAWaitTakesAsLongAsAskedWhileSignalsCome(t *testing.T) {
	received := make(chan os.Signal, 1)
	signal.Notify(received, unix.SIGUSR1)
	defer signal.Stop(received)
	stop := make(chan struct{})
	var sending sync.WaitGroup
	defer sending.Wait()
	defer close(stop)
	sending.Go(func() {
		ticks := time.NewTicker(time.Millisecond)
		defer ticks.Stop()
		for {
			select {
			case <-stop:
				return
			case <-ticks.C:
				for _, tid := range tasks() {
					unix.Tgkill(os.Getpid(), tid, unix.SIGUSR1)
				}
			}
		}
	})
	all := waits(t, 5*time.Millisecond, 21)
	assert.Less(t, all[10], 100*time.Millisecond, "%v", all)
}

//go:build amd64 || arm64

package spawn

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// Many starts at once.

// TestManyStartAtOnceWhileMemoryIsCollected has each child print what no other prints.
func TestManyStartAtOnceWhileMemoryIsCollected(t *testing.T) {
	echo := testkit.Program(t, "echo")
	bothWays(t, func(t *testing.T, f *Forker) {
		const goroutines, starts = 64, 1000
		stop := make(chan struct{})
		var collecting, starting sync.WaitGroup
		collecting.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond):
					runtime.GC()
					debug.FreeOSMemory()
				}
			}
		})
		var next atomic.Int32
		for range goroutines {
			starting.Go(func() {
				for {
					n := next.Add(1)
					if n > starts {
						return
					}
					unique := fmt.Sprint("number ", n, strings.Repeat("x", int(n)%300))
					cmd := command(echo, unique)
					cmd.Env = append(cmd.Env, "UNIQUE="+unique)
					switch n % 10 {
					case 0:
						_, err := begin(f, &Program{Cmd: command("/no/such/program", unique), Files: quiet()})
						assert.ErrorIs(t, err, unix.ENOENT)
					default:
						text, err := outcome(f, cmd)
						if assert.NoError(t, err) {
							assert.Equal(t, unique+"\n", text)
						}
					}
				}
			})
		}
		starting.Wait()
		close(stop)
		collecting.Wait()
	})
	noChild(t)
}

// TestMoreMayBeginThanThereIsRoomFor begins many before it waits for one.
func TestMoreMayBeginThanThereIsRoomFor(t *testing.T) {
	cmd := command(testkit.Program(t, "true"))
	bothWays(t, func(t *testing.T, f *Forker) {
		var all []*Birth
		for range 5 * ringSize {
			b := f.Prepare(&Program{Cmd: cmd, Files: quiet()})
			b.Start()
			all = append(all, b)
		}
		pids := map[int]bool{}
		for _, b := range all {
			require.True(t, b.Wait(-1))
			pid, err := b.Result()
			require.NoError(t, err)
			pids[pid] = true
		}
		assert.Len(t, pids, len(all))
		for pid := range pids {
			assert.Zero(t, ended(t, pid))
		}
	})
	noChild(t)
}

// TestTheRingMayWrapAround starts as if many had been started before.
func TestTheRingMayWrapAround(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	f, cmd := scripts(t), command(testkit.Program(t, "true"))
	it := current(t)
	idle(t, it)
	// The thread sleeps as long as both are the same, and looks at what the first was.
	it.mu.Lock()
	it.ring.taken.Store(^uint32(0) - 100)
	it.ring.put.Store(^uint32(0) - 100)
	it.mu.Unlock()
	for range 300 {
		assert.Zero(t, ended(t, born(t, f, &Program{Cmd: cmd, Files: quiet()})))
	}
	assert.Less(t, it.ring.put.Load(), uint32(1000))
}

// TestAClosedForkerLeavesNoGoroutine has the plain way's end.
func TestAClosedForkerLeavesNoGoroutine(t *testing.T) {
	before := goleak.IgnoreCurrent()
	for _, plainly := range []bool{false, true} {
		f := New(plainly)
		output(t, f, command(testkit.Program(t, "true")))
		begin(f, &Program{Cmd: command("/no/such/program"), Files: quiet()})
		f.Close()
		goleak.VerifyNone(t, before)
	}
	New(true).Close()
	goleak.VerifyNone(t, before)
}

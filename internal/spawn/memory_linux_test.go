//go:build amd64 || arm64

package spawn

import (
	"bytes"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// What is kept in memory, and for how long.

// collected waits until what is pointed to is gone.
func collected[T any](t testing.TB, what string, p weak.Pointer[T]) {
	t.Helper()
	require.Eventually(t, func() bool { runtime.GC(); return p.Value() == nil }, 10*time.Second, tick, what)
}

// TestNothingIsKeptOfAStartThatIsOver also has those that failed.
func TestNothingIsKeptOfAStartThatIsOver(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		for _, path := range []string{testkit.Program(t, "true"), "/no/such/program"} {
			p, b := func() (weak.Pointer[Program], weak.Pointer[Birth]) {
				what := &Program{Cmd: command(path), Files: quiet()}
				b := f.Prepare(what)
				b.Start()
				require.True(t, b.Wait(-1))
				if pid, err := b.Result(); err == nil {
					ended(t, pid)
				}
				return weak.Make(what), weak.Make(b)
			}()
			collected(t, "the program "+path, p)
			collected(t, "its birth "+path, b)
		}
	})
}

func TestTheRingKeepsNoRequestThatIsOver(t *testing.T) {
	f := scripts(t)
	it := current(t)
	kept := func() (n int) {
		it.mu.Lock()
		defer it.mu.Unlock()
		for _, r := range it.ring.slots {
			if r != nil {
				n++
			}
		}
		return n
	}
	before := kept() // births that nobody wanted to know of, and that by which it was tried
	for _, path := range []string{testkit.Program(t, "true"), "/no/such/program"} {
		r := func() weak.Pointer[request] {
			b := f.Prepare(&Program{Cmd: command(path), Files: quiet()})
			b.Start()
			require.True(t, b.Wait(-1))
			r := weak.Make(b.script.request)
			if pid, err := b.Result(); err == nil {
				ended(t, pid)
			}
			return r
		}()
		collected(t, "the request of "+path, r)
	}
	assert.LessOrEqual(t, kept(), before)
}

// TestARequestLivesAsLongAsItsChildIsUnborn looks for one whose birth nobody has any
// more: its child writes to it when it is born.
func TestARequestLivesAsLongAsItsChildIsUnborn(t *testing.T) {
	f, cmd := scripts(t), command(testkit.Program(t, "true"))
	r, pid := func() (weak.Pointer[request], int) {
		b := hanging(f, command("/no/such/program"))
		b.Start()
		require.Eventually(t, func() bool { return b.PID() != 0 }, patience, tick)
		return weak.Make(b.script.request), b.PID()
	}()
	killed(t, pid)
	for range ringSize {
		ended(t, born(t, f, &Program{Cmd: cmd, Files: quiet()}))
	}
	runtime.GC()
	runtime.GC()
	assert.NotNil(t, r.Value(), "a child that is still unborn shares it")
}

// TestLargeArgumentsAreNotKept starts with much memory, many times.
func TestLargeArgumentsAreNotKept(t *testing.T) {
	f, path := scripts(t), testkit.Program(t, "true")
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	for range 100 {
		cmd := command(path, string(bytes.Repeat([]byte("x"), 100<<10)))
		ended(t, born(t, f, &Program{Cmd: cmd, Files: quiet()}))
	}
	assert.Less(t, heap(), before+2<<20)
}

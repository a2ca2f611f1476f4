//go:build amd64 || arm64

package spawn

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// The thread that forks, as the kernel sees it.

// current is the thread that forks for who has the credentials of this one.
func current(t testing.TB) *thread {
	t.Helper()
	it, err := presentThread()
	require.NoError(t, err)
	return it
}

// idle waits until a thread has nothing to do, and returns its number.
func idle(t testing.TB, it *thread) (tid int) {
	t.Helper()
	// It is in futex(2), and waits for a request. The number of the call is not the same
	// everywhere, but its arguments are.
	waits := fmt.Sprintf(" %#x 0x80 %#x 0x0 ", pointer(it.ring), it.ring.put.Load())
	denied := false
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		for _, task := range tasks() {
			call, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/syscall", task))
			denied = denied || os.IsPermission(err)
			if strings.Contains(string(call), waits) {
				tid = task
			}
		}
		assert.True(c, denied || tid != 0, "no thread waits at %q", waits)
	}, patience, tick)
	if tid == 0 {
		t.Skip("this kernel does not tell in which call a thread is")
	}
	return tid
}

// tasks are the numbers of all threads of this process.
func tasks() (all []int) {
	entries, _ := os.ReadDir("/proc/self/task")
	for _, entry := range entries {
		if tid, err := strconv.Atoi(entry.Name()); err == nil {
			all = append(all, tid)
		}
	}
	return all
}

func threadStatus(t testing.TB, tid int) string {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/status", tid))
	require.NoError(t, err)
	return string(status)
}

func TestTheThreadBlocksAllSignals(t *testing.T) {
	scripts(t)
	blocked := statusLine(t, threadStatus(t, idle(t, current(t))), "SigBlk")
	assert.Equal(t, "fffffffffffbfeff", blocked, "all but SIGKILL and SIGSTOP")
}

// TestTheCallerHasItsSignalsBack looks whether whoever has had the thread made is left
// with what was blocked.
func TestTheCallerHasItsSignalsBack(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	before := statusLine(t, threadStatus(t, unix.Gettid()), "SigBlk")
	scripts(t)
	require.EventuallyWithT(t, func(c *assert.CollectT) { // the runtime makes threads, too, now and then
		var blocking []int
		for _, tid := range tasks() {
			if statusLine(t, threadStatus(t, tid), "SigBlk") != before {
				blocking = append(blocking, tid)
			}
		}
		assert.Len(c, blocking, 1, "only one thread has other signals blocked")
	}, patience, tick)
}

func TestOneThreadIsEnough(t *testing.T) {
	scripts(t)
	threads.mu.Lock()
	before := len(threads.all)
	threads.mu.Unlock()
	for range 20 {
		output(t, scripts(t), command(testkit.Program(t, "true")))
	}
	threads.mu.Lock()
	defer threads.mu.Unlock()
	assert.Len(t, threads.all, before)
}

func TestOneThreadIsMadeHoweverManyAskForItAtOnce(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	cmd := command(testkit.Program(t, "true"))
	var asking sync.WaitGroup
	for range 16 {
		asking.Go(func() {
			f := New(false)
			_, err := outcome(f, cmd)
			assert.NoError(t, err)
			f.Close()
		})
	}
	asking.Wait()
	assert.Len(t, threads.all, 1)
}

// TestOneProcessorIsEnough has the thread run beside one that runs Go code.
func TestOneProcessorIsEnough(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	processors(t, 1)
	cmd := command(testkit.Program(t, "echo"), "it runs")
	bothWays(t, func(t *testing.T, f *Forker) {
		for range 20 {
			assert.Equal(t, "it runs\n", output(t, f, cmd))
		}
	})
}

//go:build linux

package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

var slow = flag.Bool("slow", false, "run the slow tests too")

// helperVar names the helper that this binary is to be, instead of the tests.
const helperVar = "PROCESSION_FAULTS_HELPER"

var helpers = map[string]func(args []string){}

func TestMain(m *testing.M) {
	if procession.Init() {
		return
	}
	if name := os.Getenv(helperVar); name != "" {
		os.Unsetenv(helperVar)
		helpers[name](os.Args[1:])
		return
	}
	flag.Parse()
	testkit.Main(m)
}

// helper is a command that runs one of helpers in a process of its own.
func helper(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), helperVar+"="+name, "GORACE=atexit_sleep_ms=0") // the race detector lingers
	cmd.Stderr = os.Stderr
	return cmd
}

// program is the T of a helper: it prints what fails, and exits.
type program struct{}

func (program) Errorf(format string, args ...any) { fmt.Printf(format+"\n", args...) }
func (program) FailNow()                          { os.Exit(1) }

// stay is the end of a helper that waits to be killed. A program in which nothing but
// select {} is left is ended by the runtime, unless it has cgo, which knows of threads that
// are not the runtime's.
func stay() {
	for {
		time.Sleep(time.Hour)
	}
}

func onlySlow(t *testing.T) {
	t.Helper()
	if !*slow {
		t.Skip("slow: run with -slow")
	}
}

// tick is how often tests look at what nobody tells them.
const tick = 2 * time.Millisecond

// pids waits for the process to print n lines with a process ID each.
func pids(t testing.TB, eng *procession.Engine, id string, n int) []int {
	t.Helper()
	for chunk, err := range eng.Follow(testkit.Within(t), id, procession.ReadOptions{}) {
		require.NoError(t, err)
		out := enginetest.Output(t, eng, id)
		text := out.Stdout()
		if fields := strings.Fields(text); strings.Count(text, "\n") >= n {
			return numbers(t, fields[:n])
		}
		require.False(t, chunk.EOF, "it ended having printed %q", text)
	}
	panic("unreachable")
}

func numbers(t testing.TB, fields []string) (numbers []int) {
	t.Helper()
	for _, f := range fields {
		n, err := strconv.Atoi(f)
		require.NoError(t, err, "not a process ID")
		numbers = append(numbers, n)
	}
	return numbers
}

// stat is the state of a process in /proc/PID/stat, "" if there is none.
func stat(pid int) string {
	if p, there := testkit.Look(pid); there {
		return string(p.State)
	}
	return ""
}

// leavesNothing wants nothing of a process of an engine to be alive.
func leavesNothing(t testing.TB, id string) {
	t.Helper()
	for _, p := range testkit.Carrying("PROCESSION_ID=" + id) {
		haveEnded(t, p.PID)
	}
}

// haveEnded wants none of some processes to be alive. Unlike testkit.Gone it does not wait:
// their end has been told.
func haveEnded(t testing.TB, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if !assert.False(t, testkit.Alive(pid), "process %d is alive", pid) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// endWithin waits for the end of some processes, for each of them no longer than limit.
func endWithin(t testing.TB, limit time.Duration, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			p, _ := testkit.Look(pid)
			assert.False(c, testkit.Alive(pid), "%v, a child of %d", p, p.Parent)
		}, limit, tick, "process %d has ended", pid)
	}
}

// becomesSleep waits until a process has executed sleep.
func becomesSleep(t testing.TB, pid int) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		assert.Equal(c, "sleep\n", string(name))
	}, 10*time.Second, tick)
}

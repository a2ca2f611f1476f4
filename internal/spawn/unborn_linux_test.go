//go:build amd64 || arm64

package spawn

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// A child that comes to its end before it has executed its program. It shares this
// program's memory then.

// sleeping is a call that does not return, unless a signal comes.
var sleeping = call{mode: mayFail, number: unix.SYS_PPOLL}

// hanging is the birth of a child that does not execute anything, but waits for ever. It
// has unblocked signals, as if it were in execve(2).
func hanging(f *Forker, cmd *exec.Cmd) *Birth {
	b := f.Prepare(&Program{Cmd: cmd, Files: quiet()})
	script := b.script.request.script
	last := &script[len(script)-1]
	if last.number != unix.SYS_EXECVE {
		panic("it ends with another call")
	}
	*last = sleeping
	b.script.request.script = append(script, sleeping, sleeping, sleeping, sleeping) // for what a signal interrupts
	return b
}

// unborn is such a birth that has come as far as it will. It is over with the test.
func unborn(t testing.TB, f *Forker) *Birth {
	t.Helper()
	b := hanging(f, command("/no/such/program"))
	b.Start()
	require.Eventually(t, func() bool { return b.PID() != 0 && isBlocked(b.PID(), "0000000000000000") }, patience, tick)
	killed(t, b.PID())
	return b
}

// isBlocked reports whether a process has those signals blocked.
func isBlocked(pid int, signals string) bool {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	return strings.Contains(string(status), "\nSigBlk:\t"+signals+"\n")
}

// state is the state of a process in /proc/PID/stat.
func state(pid int) byte {
	p, _ := testkit.Look(pid)
	return p.State
}

// signalled is a child that a signal ends before it is born.
func signalled(t *testing.T, f *Forker, signal unix.Signal) unix.WaitStatus {
	t.Helper()
	b := unborn(t, f)
	require.False(t, b.Wait(0))
	require.NoError(t, unix.Kill(b.PID(), signal))
	require.True(t, b.Wait(-1))
	before := b.PID()
	pid, err := b.Result()
	require.NoError(t, err, "it is told as born")
	assert.Equal(t, before, pid)
	return ended(t, pid)
}

// TestAChildThatIsEndedBeforeItIsBornIsToldAsBorn has signals that write a core file
// among them: only the child's end is meant, not that of all who share its memory.
func TestAChildThatIsEndedBeforeItIsBornIsToldAsBorn(t *testing.T) {
	f := scripts(t)
	var none unix.Rlimit
	require.NoError(t, unix.Getrlimit(unix.RLIMIT_CORE, &none))
	if none.Cur != 0 {
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Max: none.Max}))
		t.Cleanup(func() { unix.Setrlimit(unix.RLIMIT_CORE, &none) })
	}
	for _, signal := range []unix.Signal{unix.SIGKILL, unix.SIGTERM, unix.SIGHUP, unix.SIGUSR1, unix.SIGQUIT, unix.SIGABRT, unix.SIGSEGV, unix.SIGTRAP} {
		t.Run(unix.SignalName(signal), func(t *testing.T) {
			status := signalled(t, f, signal)
			assert.True(t, status.Signaled(), "%#x", status)
			assert.Equal(t, signal, status.Signal())
			output(t, f, command(testkit.Program(t, "true")))
		})
	}
	noChild(t)
}

func TestAChildThatIsIgnoredSignalsBeforeItIsBornGoesOn(t *testing.T) {
	f := scripts(t)
	b := unborn(t, f)
	for _, signal := range []unix.Signal{unix.SIGCHLD, unix.SIGURG, unix.SIGWINCH, unix.SIGCONT} {
		require.NoError(t, unix.Kill(b.PID(), signal))
	}
	assert.False(t, b.Wait(5*time.Millisecond))
	assert.True(t, testkit.Alive(b.PID()))
}

// TestChildrenThatAreEndedAsSoonAsTheyAreKnownAreToldAsBorn races with execve(2): what
// is killed is told as born, wherever it was.
func TestChildrenThatAreEndedAsSoonAsTheyAreKnownAreToldAsBorn(t *testing.T) {
	f, cmd := scripts(t), command(testkit.Program(t, "cat"))
	var ends [2]int
	require.NoError(t, unix.Pipe2(ends[:], unix.O_CLOEXEC))
	defer unix.Close(ends[0])
	defer unix.Close(ends[1])
	for range 300 {
		b := f.Prepare(&Program{Cmd: cmd, Files: [3]int{ends[0], null(), 2}}) // it waits for something to read
		var killing sync.WaitGroup
		killing.Go(func() {
			for b.PID() == 0 {
			}
			unix.Kill(b.PID(), unix.SIGKILL)
		})
		b.Start()
		require.True(t, b.Wait(-1))
		killing.Wait()
		pid, err := b.Result()
		require.NoError(t, err)
		require.Equal(t, unix.SIGKILL, ended(t, pid).Signal())
	}
}

// TestManyUnbornHoldNobody has more of them than there is room for requests.
func TestManyUnbornHoldNobody(t *testing.T) {
	f := scripts(t)
	var all []*Birth
	for range 3 * ringSize {
		b := hanging(f, command("/no/such/program"))
		b.Start()
		all = append(all, b)
	}
	begun := time.Now()
	require.Equal(t, "it runs\n", output(t, f, command(testkit.Program(t, "echo"), "it runs")))
	assert.Less(t, time.Since(begun), 5*time.Second)
	for _, b := range all {
		require.NotZero(t, b.PID(), "what began before is forked before")
		require.NoError(t, unix.Kill(b.PID(), unix.SIGKILL))
	}
	for _, b := range all {
		require.True(t, b.Wait(-1))
		pid, err := b.Result()
		require.NoError(t, err)
		require.Equal(t, unix.SIGKILL, ended(t, pid).Signal())
	}
}

func TestAnUnbornChildIsStoppedAndContinued(t *testing.T) {
	f := scripts(t)
	b := unborn(t, f)
	require.NoError(t, unix.Kill(b.PID(), unix.SIGSTOP))
	require.Eventually(t, func() bool { return state(b.PID()) == 'T' }, patience, tick)
	output(t, f, command(testkit.Program(t, "true"))) // nobody else is stopped
	require.NoError(t, unix.Kill(b.PID(), unix.SIGCONT))
	require.Eventually(t, func() bool { return state(b.PID()) == 'S' }, patience, tick)
	assert.False(t, b.Wait(0))
}

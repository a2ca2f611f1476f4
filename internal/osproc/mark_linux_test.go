package osproc

import (
	"bufio"
	"fmt"
	"math"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"pgregory.net/rapid"
)

func TestAnOwnerIsTheIDOfItsProcess(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		hash := rapid.Uint64().Draw(t, "hash") & hashMask
		one := rapid.StringMatching("proc_[0-9a-f]{12}").Draw(t, "one")
		two := rapid.StringMatching("proc_[0-9a-f]{12}").Draw(t, "two")
		o := originOf(hash, one)
		require.Equal(t, one == two, o == originOf(hash, two))
		require.True(t, o.isOf(hash))
		require.False(t, o.isOf(hash^1))
		require.Less(t, uint64(o), uint64(hardMark), "a soft limit is below the hard one")
		require.NotZero(t, o)
	})
	require.NotEqual(t, originOf(0, "a"), originOf(0, "b"), "an ID of any other form has one, too")
}

func init() {
	helpers["levels"] = func() { // as many engines in engines as can be
		for own := (unix.Rlimit{Max: math.MaxUint64}); ; {
			limit, possible := marking(hashOf(os.Args[1]), originOf(hashOf(os.Args[1]), "x"))
			if !possible {
				break
			}
			if limit.Hard >= own.Max || limit.Soft > limit.Hard || !isMark(unix.Rlimit{Max: limit.Hard}) {
				panic(fmt.Sprintf("%x after %x", limit, own))
			}
			apply(0, limit)
			var err error
			if own, err = limitOf(0); err != nil || own.Max != limit.Hard || own.Cur != limit.Soft {
				panic(fmt.Sprint(own, err))
			}
			fmt.Println("marked")
		}
	}
	helpers["limited"] = func() { // one whose limit is somebody's choice
		if err := unix.Prlimit(0, markLimit, &unix.Rlimit{Cur: 100, Max: 1000}, nil); err != nil {
			panic(err)
		}
		h, err := NewHost("limited")
		if err != nil {
			panic(err)
		}
		defer h.Close(time.Now())
		fmt.Println(h.limits(&Process{origin: h.origin("x")}), h.Capabilities().Marks, h.Capabilities().Reason)
	}
}

func helperProcess(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), helperVariable+"="+name, "GORACE=atexit_sleep_ms=0")
	return cmd
}

func TestEnginesInEnginesMarkByLowering(t *testing.T) {
	if !canMark() {
		t.Skip("needs RLIMIT_LOCKS to be unlimited")
	}
	for _, name := range []string{"", "a", "another"} {
		out, err := helperProcess("levels", name).CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.Equal(t, levels, strings.Count(string(out), "marked"))
	}
}

func TestALimitThatIsTakenIsLeftAlone(t *testing.T) {
	out, err := helperProcess("limited").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "[] true ")
	require.Contains(t, string(out), "RLIMIT_LOCKS")
}

// A mark is seen whatever a process does: here it executes itself for ever, with an
// environment that takes long to copy, also in another thread than its first, which
// takes its number over in that.
func TestAMarkIsSeenWhateverAProcessExecutes(t *testing.T) {
	hash := hashOf("some")
	limit, possible := marking(hash, originOf(hash, "one"))
	if !possible {
		t.Skip("needs RLIMIT_LOCKS to be unlimited")
	}
	for _, helper := range []string{"executes", "executes in a thread"} {
		t.Run(helper, func(t *testing.T) {
			cmd := helperProcess(helper)
			for i := range 3000 {
				cmd.Env = append(cmd.Env, fmt.Sprintf("MANY_%d=", i))
			}
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			defer cmd.Wait()
			defer cmd.Process.Kill()
			apply(cmd.Process.Pid, limit)
			_, err = bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			looks := 0
			for begun := time.Now(); time.Since(begun) < 300*time.Millisecond; looks++ {
				got, err := limitOf(cmd.Process.Pid)
				require.NoError(t, err)
				require.Equal(t, originOf(hash, "one"), origin(got.Cur))
			}
			t.Logf("%d looks", looks)
		})
	}
}

func init() {
	helpers["executes"] = func() {
		fmt.Println("executes")
		panic(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
	}
	helpers["executes in a thread"] = func() {
		fmt.Println("executes")
		runtime.LockOSThread()
		for first := unix.Gettid(); ; runtime.Gosched() {
			go func() {
				runtime.LockOSThread()
				if unix.Gettid() != first {
					panic(syscall.Exec("/proc/self/exe", os.Args, os.Environ()))
				}
			}()
		}
	}
}

func TestAMarkIsSeenUntilAProcessIsReaped(t *testing.T) {
	hash := hashOf("some")
	limit, possible := marking(hash, originOf(hash, "one"))
	if !possible {
		t.Skip("needs RLIMIT_LOCKS to be unlimited")
	}
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	pid := cmd.Process.Pid
	apply(pid, limit)
	read, err := readLimit(pid)
	require.NoError(t, err)
	require.Equal(t, unix.Rlimit{Cur: limit.Soft, Max: limit.Hard}, read, "in /proc, where other users see it")
	require.NoError(t, cmd.Process.Kill())
	require.NoError(t, unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil))
	zombie, err := limitOf(pid)
	require.NoError(t, err)
	require.True(t, isMark(zombie))
	cmd.Wait()
	_, err = limitOf(pid)
	require.Equal(t, unix.ESRCH, err)
}

// A stranger has no mark: neither this program nor the first process.
func TestStrangersHaveNoMark(t *testing.T) {
	h := basicHost(t)
	f := finder{host: h, table: h.sweep.table, self: os.Getpid()}
	for _, pid := range []int{1, os.Getppid()} {
		require.NotEqual(t, ours, f.find(pid).sight, pid)
	}
	require.Equal(t, nothing, f.find(1<<22-1).sight)
	require.False(t, f.blind)
}

func TestTheGuardianIsTriedEverMoreSlowly(t *testing.T) {
	require.Zero(t, nextPause(time.Minute, time.Second), "it has lived")
	pause, sum := time.Duration(0), time.Duration(0)
	for range 20 {
		next := nextPause(pause, 0)
		require.GreaterOrEqual(t, next, pause)
		require.LessOrEqual(t, next, 30*time.Second)
		pause, sum = next, sum+next
	}
	require.Equal(t, 30*time.Second, pause)
}

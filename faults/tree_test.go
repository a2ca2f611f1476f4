//go:build linux

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// Each tree prints the process IDs of its n descendants, then stays.
var trees = []struct {
	name string
	n    int
	line string
}{
	{"grandchild in the group", 1, `sleep 1000 & echo $!; wait`},
	{"setsid grandchild", 1, `setsid sh -c 'echo $$; exec sleep 1000' & wait`},
	{"double-forked daemon", 1, `(setsid sh -c '(sh -c "echo \$\$; exec sleep 1000 >/dev/null 2>&1 </dev/null" &)' &); sleep 1000`},
	{"closed output", 1, `setsid sh -c 'echo $$; exec sleep 1000 >&- 2>&- <&-' & wait`},
	{"two hundred", 200, `i=0; while [ $i -lt 200 ]; do sleep 1000 & echo $!; i=$((i+1)); done; wait`},
	{"two hundred that left", 200, `i=0; while [ $i -lt 200 ]; do setsid sh -c 'echo $$; exec sleep 1000' & i=$((i+1)); done; wait`},
	{"three generations", 3, `sh -c 'echo $$; setsid sh -c "echo \$\$; sh -c \"echo \\\$\\\$; exec sleep 1000\"; :"; :'; :`},
}

func TestTreeEndsWithKill(t *testing.T) {
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			t.Parallel()
			eng := enginetest.New(t)
			id := enginetest.Start(t, eng, procession.Shell(tree.line))
			descendants := pids(t, eng, id, tree.n)
			enginetest.Kill(t, eng, id)
			haveEnded(t, descendants...)
		})
	}
}

func TestTreeEndsWithRelease(t *testing.T) {
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			t.Parallel()
			eng := enginetest.New(t)
			id := enginetest.Start(t, eng, procession.Shell(tree.line))
			descendants := pids(t, eng, id, tree.n)
			require.NoError(t, eng.Release(testkit.Within(t), id))
			haveEnded(t, descendants...)
		})
	}
}

func TestTreeEndsWithShutdown(t *testing.T) {
	name := uuid.NewString()
	eng := enginetest.New(t, procession.WithID(name))
	var descendants []int
	for _, tree := range trees {
		descendants = append(descendants, pids(t, eng, enginetest.Start(t, eng, procession.Shell(tree.line)), tree.n)...)
	}
	report, err := eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	haveEnded(t, descendants...)
	assert.Empty(t, testkit.Marked(name))
	assert.Equal(t, procession.ShutdownReport{Terminated: len(trees)}, report)
}

func TestTreeEndsWithItsLeader(t *testing.T) {
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			t.Parallel()
			eng := enginetest.New(t)
			spec := procession.Shell(tree.line)
			id := enginetest.Start(t, eng, spec)
			descendants := pids(t, eng, id, tree.n)
			info := enginetest.Info(t, eng, id)
			// The leader ends by itself, as far as the engine knows.
			require.NoError(t, exec.Command("/bin/kill", "-KILL", fmt.Sprint(info.PID)).Run())
			exit := enginetest.Wait(t, eng, id)
			require.Equal(t, "SIGKILL", exit.Signal)
			require.Equal(t, procession.CauseExited, exit.Cause)
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				for _, pid := range descendants {
					assert.False(c, testkit.Alive(pid), "%d is alive", pid)
				}
			}, 10*time.Second, tick, "the descendants have ended")
		})
	}
}

func TestLeaderThatIgnoresTERM(t *testing.T) {
	eng := enginetest.New(t)
	spec := procession.Shell(`trap '' TERM; echo $$; while :; do sleep 1000; done`)
	spec.Grace = 300 * time.Millisecond
	id := enginetest.Start(t, eng, spec)
	pid := pids(t, eng, id, 1)
	begin := time.Now()
	exit := enginetest.Kill(t, eng, id)
	took := time.Since(begin)
	require.Equal(t, "SIGKILL", exit.Signal)
	require.Equal(t, procession.CauseKilled, exit.Cause)
	assert.GreaterOrEqual(t, took, spec.Grace, "killed before its grace")
	haveEnded(t, pid...)
}

func TestGrandchildThatIgnoresTERM(t *testing.T) {
	for _, line := range []string{
		`sh -c 'trap "" TERM; echo $$; while :; do sleep 1000; done' & wait`,
		`setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 1000; done' & wait`,
	} {
		eng := enginetest.New(t)
		spec := procession.Shell(line)
		spec.Grace = 300 * time.Millisecond
		id := enginetest.Start(t, eng, spec)
		grandchild := pids(t, eng, id, 1)
		require.Equal(t, "SIGTERM", enginetest.Kill(t, eng, id).Signal)
		haveEnded(t, grandchild...)
		report, err := eng.Shutdown(testkit.Within(t))
		assert.NoError(t, err)
		assert.Zero(t, report)
	}
}

func TestStoppedGroup(t *testing.T) {
	eng := enginetest.New(t)
	id := enginetest.Start(t, eng, procession.Shell(`sleep 1000 & echo $!; echo $$; kill -STOP 0; wait`))
	stopped := pids(t, eng, id, 2)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, "T", stat(stopped[0]))
		assert.Equal(c, "T", stat(stopped[1]))
	}, 10*time.Second, tick, "they are stopped")
	begin := time.Now()
	exit := enginetest.Kill(t, eng, id)
	took := time.Since(begin)
	require.Equal(t, "SIGTERM", exit.Signal)
	assert.Less(t, took, procession.DefaultGrace, "it took the whole grace")
	haveEnded(t, stopped...)
}

func TestStoppedDescendantOutsideTheGroup(t *testing.T) {
	eng := enginetest.New(t)
	id := enginetest.Start(t, eng, procession.Shell(`setsid sh -c 'echo $$; kill -STOP $$; sleep 1000' & wait`))
	descendant := pids(t, eng, id, 1)[0]
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, "T", stat(descendant))
	}, 10*time.Second, tick, "it is stopped")
	begin := time.Now()
	enginetest.Kill(t, eng, id)
	assert.LessOrEqual(t, time.Since(begin), 4*time.Second, "it did not hear the stop signal")
	haveEnded(t, descendant)
}

// The environment of a process whose first thread has ended reads as empty.
func TestDescendantWithoutItsFirstThread(t *testing.T) {
	testkit.Needs(t, "python3")
	eng := enginetest.New(t)
	id := enginetest.Start(t, eng, procession.Shell(`setsid python3 -c '
import ctypes, os, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
print(os.getpid(), flush=True)
ctypes.CDLL(None).pthread_exit(0)' & wait`))
	descendant := pids(t, eng, id, 1)[0]
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, "Z", stat(descendant))
	}, 10*time.Second, tick, "its first thread has ended")
	t.Cleanup(func() { syscall.Kill(descendant, syscall.SIGKILL) })
	enginetest.Kill(t, eng, id)
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", descendant))
	assert.LessOrEqual(t, len(threads), 1, "Kill has been answered, and it has still threads: %v", threads)
}

func init() { helpers["holder"] = holder }

// holder becomes a process that takes long to exit, because it frees 256 MiB of a
// file after its memory, and with that its environment, is gone.
func holder([]string) {
	fd, err := unix.MemfdCreate("held", 0)
	if err == nil {
		err = unix.Fallocate(fd, 0, 0, 256<<20)
	}
	if err != nil {
		panic(err)
	}
	fmt.Println(os.Getpid())
	for _, fd := range []int{1, 2} {
		unix.Dup2(0, fd) // the null device
	}
	panic(unix.Exec("/bin/sleep", []string{"sleep", "1000"}, os.Environ()))
}

// startHolder starts a leader with a holder that has left its group.
func startHolder(t *testing.T, eng *procession.Engine) (id string, held int) {
	t.Helper()
	spec := procession.Shell(`setsid "$0" & exec >/dev/null; wait`)
	spec.Args = append(spec.Args, os.Args[0])
	spec.Env = map[string]string{helperVar: "holder"}
	id = enginetest.Start(t, eng, spec)
	held = pids(t, eng, id, 1)[0]
	becomesSleep(t, held)
	return id, held
}

func TestOneThatTakesLongToExitIsWaitedFor(t *testing.T) {
	for name, end := range map[string]func(eng *procession.Engine, id string) error{
		"kill":     func(eng *procession.Engine, id string) error { _, err := eng.Kill(testkit.Within(t), id); return err },
		"release":  func(eng *procession.Engine, id string) error { return eng.Release(testkit.Within(t), id) },
		"shutdown": func(eng *procession.Engine, _ string) error { _, err := eng.Shutdown(testkit.Within(t)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			eng := enginetest.New(t)
			id, held := startHolder(t, eng)
			require.NoError(t, end(eng, id))
			haveEnded(t, held)
		})
	}
}

// One that nobody has looked at before it is exiting is waited for as well.
func TestOneThatIsExitingAlreadyIsWaitedFor(t *testing.T) {
	eng := enginetest.New(t)
	id, held := startHolder(t, eng)
	info := enginetest.Info(t, eng, id)
	for _, pid := range []int{held, info.PID} {
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
	}
	enginetest.Kill(t, eng, id)
	haveEnded(t, held)
}

func TestPipeHeldOpenForAMinute(t *testing.T) {
	for _, line := range []string{`echo last words; sleep 60 &`, `echo last words; setsid sleep 60 &`} {
		eng := enginetest.New(t)
		begin := time.Now()
		id := enginetest.Start(t, eng, procession.Shell(line))
		exit := enginetest.Wait(t, eng, id)
		took := time.Since(begin)
		require.True(t, exit.Success(), "%v", exit)
		assert.LessOrEqual(t, took, 2*time.Second, "of Wait")
		assert.Equal(t, "last words\n", enginetest.Output(t, eng, id).Stdout())
	}
}

func TestDescendantThatStillPrints(t *testing.T) {
	eng := enginetest.New(t)
	id := enginetest.Start(t, eng, procession.Shell(`(i=0; while [ $i -lt 20 ]; do echo line $i; sleep 0.05; i=$((i+1)); done) & exit 7`))
	require.Equal(t, 7, enginetest.Wait(t, eng, id).Code)
	var want strings.Builder
	for i := range 20 {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	assert.Equal(t, want.String(), enginetest.Output(t, eng, id).Stdout())
}

func TestDyingWordsOfADescendantAreKept(t *testing.T) {
	eng := enginetest.New(t)
	id := enginetest.Start(t, eng, procession.Shell(
		`trap 'exit 0' TERM; sh -c 'trap "sleep 0.6; echo dying words; exit" TERM; echo $$; while :; do sleep 0.05; done' & wait`))
	pids(t, eng, id, 1)
	enginetest.Kill(t, eng, id)
	assert.Regexp(t, `dying words\n$`, enginetest.Output(t, eng, id).Stdout())
}

func TestLeftDescendants(t *testing.T) {
	for _, line := range []string{
		`sleep 1000 >/dev/null 2>&1 & echo $!`,
		`setsid sleep 1000 >/dev/null 2>&1 & echo $!`,
	} {
		spec := procession.Shell(line)
		spec.LeaveDescendants = true
		eng := enginetest.New(t)
		leave := func() (id string, descendant int) {
			id = enginetest.Start(t, eng, spec)
			enginetest.Wait(t, eng, id)
			return id, pids(t, eng, id, 1)[0]
		}
		killed, first := leave()
		released, second := leave()
		require.NoError(t, eng.Release(testkit.Within(t), released))
		require.True(t, testkit.Alive(first), "it has not outlived its leader")
		require.True(t, testkit.Alive(second), "it has not outlived its release")
		enginetest.Kill(t, eng, killed)
		haveEnded(t, first)
		_, err := eng.Shutdown(testkit.Within(t))
		require.NoError(t, err)
		haveEnded(t, second)
	}
}

func TestReleaseOfARunningLeaderLeavesDescendants(t *testing.T) {
	eng := enginetest.New(t)
	spec := procession.Shell(`sleep 1000 >/dev/null 2>&1 & echo $!; echo $$; wait`)
	spec.LeaveDescendants = true
	id := enginetest.Start(t, eng, spec)
	tree := pids(t, eng, id, 2)
	require.NoError(t, eng.Release(testkit.Within(t), id))
	assert.True(t, testkit.Alive(tree[0]), "the descendant was ended")
	haveEnded(t, tree[1])
	_, err := eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	haveEnded(t, tree[0])
}

func TestTerminalSessionEnds(t *testing.T) {
	eng := enginetest.New(t)
	id := enginetest.Start(t, eng, procession.Spec{Command: "bash", Args: []string{"--norc", "--noprofile", "-i", "-m", "-c",
		`exec 2>/dev/null; sleep 1000 & echo $!; env -i sleep 1000 & echo $!; wait`}, PTY: &procession.Size{Rows: 24, Cols: 80}})
	jobs := pids(t, eng, id, 2) // each in a group of its own; the second without marks
	enginetest.Kill(t, eng, id)
	haveEnded(t, jobs...)
}

func TestOneKillSendsOneStopSignal(t *testing.T) {
	eng := enginetest.New(t)
	id := enginetest.Start(t, eng, procession.Shell(`trap 'echo got TERM' TERM; echo ready; n=0; while [ $n -lt 6 ]; do sleep 0.1; n=$((n+1)); done`))
	_, err := eng.WaitFor(testkit.Within(t), id, ready)
	require.NoError(t, err)
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := eng.Kill(testkit.Within(t), id)
			done <- err
		}()
	}
	for range 8 {
		assert.NoError(t, <-done)
	}
	said := enginetest.Output(t, eng, id).Stdout()
	assert.Equal(t, 1, strings.Count(said, "got TERM"), "stop signals: %q", said)
}

//go:build linux

package faults

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// dead is a program whose execve(2) does not return, as if the file server that it is on
// were dead, until let go: somebody has asked to be asked (fanotify(7),
// FAN_OPEN_EXEC_PERM), and does not answer.
func dead(t *testing.T) (program string, letGo func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, for fanotify")
	}
	program = filepath.Join(t.TempDir(), "dead")
	text, err := os.ReadFile(testkit.Program(t, "sleep"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, text, 0o755))
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY)
	if err != nil {
		t.Skip("needs fanotify:", err)
	}
	closed := false
	letGo = func() {
		if !closed {
			closed = true
			unix.Close(fd)
		}
	}
	t.Cleanup(letGo)
	if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, program); err != nil {
		t.Skip("needs FAN_OPEN_EXEC_PERM:", err)
	}
	return program, letGo
}

// startsDead starts so many of it, with a context that ends, and answers their IDs.
func startsDead(t *testing.T, eng *procession.Engine, program string, n int) (ids []string) {
	t.Helper()
	for range n {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
		begun := time.Now()
		_, err := eng.Start(ctx, procession.Spec{Command: program, Args: []string{"1000"}})
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Less(t, time.Since(begun), 2*time.Second, "Start ends with its context")
	}
	all, err := eng.List(testkit.Within(t))
	require.NoError(t, err)
	for _, info := range all {
		if info.Command == program {
			require.Equal(t, procession.Starting, info.State)
			ids = append(ids, info.ID)
		}
	}
	require.Len(t, ids, n)
	return ids
}

// needsMarks skips what only marks are enough for that are there from the start.
func needsMarks(t *testing.T) {
	t.Helper()
	if c := enginetest.New(t).Capabilities(); c.Reason != "" {
		t.Skip(c.Reason)
	}
}

// needsScripts skips what only scripted starts do.
func needsScripts(t *testing.T, eng *procession.Engine) {
	t.Helper()
	if c := eng.Capabilities(); c.Start != "script" {
		t.Skip("starts are not scripted here: ", c.Reason)
	}
}

func TestProgramsThatHangInExecHoldTheirOwnStartOnly(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	eng := enginetest.New(t)
	needsScripts(t, eng)
	program, letGo := dead(t)
	ids := startsDead(t, eng, program, 4)

	// Everybody else goes on: other starts, timers, os/exec, Kill.
	for range 20 {
		begun := time.Now()
		id := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
		require.Less(t, time.Since(begun), time.Second, "another start")
		begun = time.Now()
		require.NoError(t, exec.Command("/bin/true").Run())
		require.Less(t, time.Since(begun), time.Second, "os/exec")
		begun = time.Now()
		<-time.After(time.Millisecond)
		require.Less(t, time.Since(begun), time.Second, "a timer")
		begun = time.Now()
		enginetest.Kill(t, eng, id)
		require.Less(t, time.Since(begun), 2*time.Second, "Kill of another")
	}

	// They are ended like any other.
	begun := time.Now()
	exit := enginetest.Kill(t, eng, ids[0])
	require.Equal(t, "SIGTERM", exit.Signal)
	require.Equal(t, procession.CauseKilled, exit.Cause)
	require.NoError(t, eng.Release(testkit.Within(t), ids[1]))
	require.Less(t, time.Since(begun), 2*time.Second)

	// One that is let go runs.
	letGo()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		info, err := eng.Info(testkit.Within(t), ids[2])
		assert.NoError(c, err)
		assert.Equal(c, procession.Running, info.State)
		assert.True(c, testkit.Alive(info.PID), "it is alive")
	}, 10*time.Second, tick, "it runs")
	report, err := eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	require.Equal(t, procession.ShutdownReport{Terminated: 2}, report)
}

func TestShutdownEndsWhatHangsInExec(t *testing.T) {
	eng := enginetest.New(t)
	needsScripts(t, eng)
	program, letGo := dead(t)
	startsDead(t, eng, program, 3)
	begun := time.Now()
	_, err := eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	require.Less(t, time.Since(begun), procession.DefaultGrace)
	letGo()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Empty(c, testkit.Running()) // nor the guardian of an earlier program
	}, 5*time.Second, tick, "nothing runs")
}

// A stop signal that the program would ignore by default ends it after its grace.
func TestWhatHangsInExecIsKilledAfterItsGrace(t *testing.T) {
	eng := enginetest.New(t)
	needsScripts(t, eng)
	program, _ := dead(t)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := eng.Start(ctx, procession.Spec{Command: program, StopSignal: syscall.SIGWINCH, Grace: 300 * time.Millisecond})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	all, err := eng.List(testkit.Within(t))
	require.NoError(t, err)
	require.Len(t, all, 1)
	begun := time.Now()
	exit := enginetest.Kill(t, eng, all[0].ID)
	require.Equal(t, "SIGKILL", exit.Signal)
	require.GreaterOrEqual(t, time.Since(begun), 300*time.Millisecond)
}

func init() { helpers["dead engine"] = deadEngine }

// deadEngine starts args[0], which hangs, and stays.
func deadEngine(args []string) {
	eng, err := procession.New(procession.WithGuardian())
	check(err)
	go eng.Start(context.Background(), procession.Spec{Command: args[0], Args: []string{"1000"}})
	check(os.WriteFile(args[1], nil, 0o644))
	stay()
}

// What hangs when the engine is killed does not run when it is let go.
func TestWhatHangsInExecEndsWithTheEngine(t *testing.T) {
	program, letGo := dead(t)
	begun := filepath.Join(t.TempDir(), "begun")
	cmd := helper("dead engine", program, begun)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.FileExists(c, begun)
		assert.GreaterOrEqual(c, len(testkit.Descendants(cmd.Process.Pid)), 2, "the guardian, and it")
	}, 10*time.Second, tick, "it hangs")
	left := testkit.Descendants(cmd.Process.Pid)
	require.NoError(t, cmd.Process.Kill())
	cmd.Wait()
	for _, p := range left {
		endWithin(t, 5*time.Second, p.PID)
	}
	letGo()
}

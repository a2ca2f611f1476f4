//go:build linux

package faults

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// leavesItsGroup tries to join the engine's group, and stays.
const leavesItsGroup = `
import os, time
try:
    os.setpgid(0, os.getpgid(os.getppid()))
except PermissionError:
    pass
print(os.getpid(), flush=True)
time.sleep(999)`

func TestALeaderThatLeavesItsGroupEnds(t *testing.T) {
	testkit.Needs(t, "python3")
	spec := procession.Spec{Command: "python3", Args: []string{"-c", leavesItsGroup}, Grace: 500 * time.Millisecond}
	for name, end := range map[string]func(eng *procession.Engine, id string) error{
		"Kill":     func(eng *procession.Engine, id string) error { _, err := eng.Kill(testkit.Within(t), id); return err },
		"Release":  func(eng *procession.Engine, id string) error { return eng.Release(testkit.Within(t), id) },
		"Shutdown": func(eng *procession.Engine, _ string) error { _, err := eng.Shutdown(testkit.Within(t)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			eng := enginetest.New(t)
			id := enginetest.Start(t, eng, spec)
			leader := pids(t, eng, id, 1)
			require.NoError(t, end(eng, id))
			haveEnded(t, leader...)
		})
	}
	t.Run("Timeout", func(t *testing.T) {
		eng := enginetest.New(t)
		spec := spec
		spec.Timeout = 500 * time.Millisecond
		exit := enginetest.Wait(t, eng, enginetest.Start(t, eng, spec))
		require.Equal(t, procession.CauseTimeout, exit.Cause)
	})
	t.Run("a probe", func(t *testing.T) {
		eng := enginetest.New(t)
		id := enginetest.Start(t, eng, procession.Spec{Command: "sleep", Args: []string{"1000"}, Grace: 500 * time.Millisecond,
			Ready: &procession.Probe{Exec: []string{"python3", "-c", leavesItsGroup}, Timeout: 500 * time.Millisecond}})
		exit := enginetest.Wait(t, eng, id)
		require.Equal(t, procession.CauseNotReady, exit.Cause)
		_, err := eng.Shutdown(testkit.Within(t))
		require.NoError(t, err)
		require.Empty(t, testkit.Running())
	})
}

func init() { helpers["engine on a terminal"] = engineOnATerminal }

// engineOnATerminal runs a line that reads from the terminal, which is the engine's and
// not its own, and says how that ended.
func engineOnATerminal(args []string) {
	eng, err := procession.New()
	check(err)
	id, err := eng.Start(context.Background(), procession.Shell(args[0]))
	check(err)
	exit, err := eng.Wait(context.Background(), id)
	check(err)
	out, err := eng.Output(context.Background(), id)
	check(err)
	fmt.Printf("%v: %s", exit, out.Combined())
	_, err = eng.Shutdown(context.Background())
	check(err)
}

func TestTheTerminalOfTheEngineIsNobodyElses(t *testing.T) {
	for line, want := range map[string]string{
		`read x </dev/tty; echo got $x`:   "No such device or address",
		`echo prompt >/dev/tty; echo $?`:  "No such device or address",
		`stty -echo </dev/tty && echo ok`: "No such device or address",
	} {
		cmd := helper("engine on a terminal", line)
		cmd.Stderr = nil
		terminal, err := pty.Start(cmd) // of which it is the controlling one
		require.NoError(t, err)
		done := make(chan string)
		go func() {
			said, _ := io.ReadAll(terminal) // EIO when it has ended
			done <- string(said)
		}()
		select {
		case said := <-done:
			require.Contains(t, said, want, line)
			require.NotContains(t, said, "prompt\r\n")
		case <-time.After(30 * time.Second):
			cmd.Process.Kill()
			assert.Fail(t, "it is stopped", line)
		}
		terminal.Close()
		require.NoError(t, cmd.Wait())
	}
}

func init() { helpers["engines without a view"] = enginesWithoutAView }

// enginesWithoutAView hides /proc, closes descriptors, or neither, before the first
// engine, and then sees whether somebody holds copies of descriptors.
func enginesWithoutAView(args []string) {
	switch args[0] {
	case "hidden":
		check(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		check(unix.Mount("none", "/proc", "tmpfs", 0, ""))
	case "closed":
		check(unix.Dup3(1, 100, unix.O_CLOEXEC))
		for fd := range 3 {
			unix.Close(fd)
		}
		defer unix.Dup3(100, 1, 0)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	r, w, err := os.Pipe()
	check(err)
	one, err := procession.New()
	check(err)
	cat, err := one.Start(ctx, procession.Spec{Command: "cat", Stdin: true})
	check(err)
	two, err := procession.New()
	check(err)
	other, err := two.Start(ctx, procession.Spec{Command: "cat", Stdin: true})
	check(err)

	_, err = one.Write(ctx, cat, []byte("hello\n"))
	check(err)
	for eng, id := range map[*procession.Engine]string{one: cat, two: other} {
		check(eng.CloseStdin(ctx, id))
		exit, err := eng.Wait(ctx, id)
		check(err)
		if !exit.Success() {
			panic(exit)
		}
	}
	out, err := one.Output(ctx, cat)
	check(err)
	if out.Stdout() != "hello\n" {
		panic(out.Stdout())
	}
	address := listener.Addr().String()
	check(listener.Close())
	if conn, err := net.Dial("tcp", address); err == nil {
		conn.Close()
		panic("a listener that is closed accepts")
	}
	listener, err = net.Listen("tcp", address)
	check(err)
	listener.Close()
	w.Close()
	if n, err := r.Read(make([]byte, 1)); err != io.EOF {
		panic(fmt.Sprint("a pipe that is closed is open: ", n, err))
	}
	for _, eng := range []*procession.Engine{one, two} {
		_, err := eng.Shutdown(ctx)
		check(err)
	}
	unix.Write(1, []byte("all closed\n"))
	if args[0] == "closed" {
		unix.Write(100, []byte("all closed\n"))
	}
}

func TestNoCopyOfADescriptorIsHeld(t *testing.T) {
	for _, how := range []string{"plain", "closed", "hidden"} {
		t.Run(how, func(t *testing.T) {
			cmd := helper("engines without a view", how)
			if how == "hidden" {
				if os.Geteuid() != 0 {
					t.Skip("needs root, to mount something over /proc")
				}
				cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
			}
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			require.NoError(t, cmd.Run(), "%s", said.String())
			require.Contains(t, said.String(), "all closed")
		})
	}
}

// A descendant cannot join another process's group, because that is in another session;
// it ends with its own process in any case.
func TestADescendantThatJoinsAnotherGroupEndsWithItsOwnProcess(t *testing.T) {
	testkit.Needs(t, "python3")
	eng := enginetest.New(t)
	b := enginetest.Start(t, eng, procession.Shell(`echo $$; exec sleep 1000`))
	group := pids(t, eng, b, 1)[0]
	a := enginetest.Start(t, eng, procession.Spec{Command: "sh", Args: []string{"-c", fmt.Sprintf(`python3 -c '
import os, time
try:
    os.setpgid(0, %d)
except OSError:
    pass
print(os.getpid(), flush=True)
time.sleep(999)' & wait`, group)}})
	joined := pids(t, eng, a, 1)
	enginetest.Kill(t, eng, a)
	haveEnded(t, joined...)
	require.True(t, testkit.Alive(group), "the other process has ended")
	enginetest.Kill(t, eng, b)
	haveEnded(t, group)
}

// sibling forks a child of its own parent, the engine (clone(2), CLONE_PARENT), which
// leaves it, and ends or stays.
const sibling = `
import ctypes, os, struct, sys, time
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
args = ctypes.create_string_buffer(struct.pack("8Q", 0x8000, 0, 0, 0, 0, 0, 0, 0))
if libc.syscall(435, args, 64) == 0:
    os.setsid()
    os.execve("/bin/sh", ["sh", "-c", "echo $$; exec " + sys.argv[1]], {})
time.sleep(float(sys.argv[2]))`

func TestSiblingsOfALeaderAreEndedAndReaped(t *testing.T) {
	testkit.Needs(t, "python3")
	needsMarks(t)
	for _, stays := range []string{"true", "sleep 1000"} {
		for _, leader := range []string{"0.3", "1000"} {
			t.Run(stays+", leader "+leader, func(t *testing.T) {
				eng := enginetest.New(t)
				id := enginetest.Start(t, eng, procession.Spec{Command: "python3", Args: []string{"-c", sibling, stays, leader}})
				child := pids(t, eng, id, 1)[0]
				if leader == "1000" {
					enginetest.Kill(t, eng, id)
				} else {
					enginetest.Wait(t, eng, id)
				}
				require.EventuallyWithT(t, func(c *assert.CollectT) {
					_, there := testkit.Look(child)
					assert.False(c, there)
				}, 10*time.Second, tick, "it is gone, and no zombie")
			})
		}
	}
}

// A guardian that somebody has stopped does not hold up the end.
func TestAStoppedGuardianIsKilledAtTheEnd(t *testing.T) {
	eng := enginetest.New(t, procession.WithGuardian())
	var guardian int
	testkit.Eventually(t, func(c *assert.CollectT) { // nobody waits until it has executed its program
		for _, p := range testkit.Running() {
			if cmdline, _ := os.ReadFile(filepath.Join("/proc", fmt.Sprint(p.PID), "cmdline")); strings.HasPrefix(string(cmdline), "procession-guardian\x00") {
				guardian = p.PID
			}
		}
		assert.NotZero(c, guardian)
	}, "there is a guardian")
	require.NoError(t, syscall.Kill(guardian, syscall.SIGSTOP))
	begun := time.Now()
	_, err := eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	require.Less(t, time.Since(begun), 10*time.Second)
	require.False(t, testkit.Alive(guardian), "the guardian is alive")
}

func init() { helpers["guarded engine"] = guardedEngine }

// guardedEngine says what it can do whenever it is asked, and logs to standard error.
func guardedEngine([]string) {
	eng, err := procession.New(procession.WithGuardian(), procession.WithID("guarded-"+fmt.Sprint(os.Getpid())))
	check(err)
	id, err := eng.Start(context.Background(), procession.Shell("setsid sleep 1000 & exec sleep 1000"))
	check(err)
	info, err := eng.Info(context.Background(), id)
	check(err)
	fmt.Println("leader", info.PID)
	for {
		if _, err := fmt.Scanln(new(string)); err != nil {
			return
		}
		fmt.Println(eng.Capabilities().Guarded)
	}
}

// A guardian that is ended again and again is started again and again, ever more slowly.
func TestAGuardianThatDoesNotLiveIsTriedAgain(t *testing.T) {
	var log bytes.Buffer
	cmd := helper("guarded engine")
	cmd.Stderr = &log
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	var leader int
	_, err = fmt.Fscanf(out, "leader %d\n", &leader)
	require.NoError(t, err)
	guardian := func() int {
		for _, p := range testkit.Descendants(cmd.Process.Pid) {
			cmdline, _ := os.ReadFile(filepath.Join("/proc", fmt.Sprint(p.PID), "cmdline"))
			if strings.HasPrefix(string(cmdline), "procession-guardian\x00guarded-") && p.State != 'Z' {
				return p.PID
			}
		}
		return 0
	}
	guarded := func() (told bool) {
		fmt.Fprintln(in, "?")
		_, err := fmt.Fscanln(out, &told)
		assert.NoError(t, err)
		return told
	}
	require.True(t, guarded(), "at first")
	for range 4 {
		testkit.Eventually(t, func(c *assert.CollectT) {
			assert.NotZero(c, guardian())
		}, "there is a guardian")
		killed := guardian()
		require.NoError(t, syscall.Kill(killed, syscall.SIGKILL))
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			if guarded() {
				assert.NotEqual(c, killed, guardian())
			}
		}, 10*time.Second, tick, "it is told to be missing, or replaced")
	}
	testkit.Eventually(t, func(c *assert.CollectT) {
		require.NotZero(c, guardian())
		assert.True(c, guarded(), "it is told")
	}, "there is a guardian again")
	tree := testkit.Descendants(leader)
	require.NoError(t, cmd.Process.Kill())
	cmd.Wait()
	for _, p := range tree { // it has done its work
		endWithin(t, 5*time.Second, p.PID)
	}
	require.Contains(t, log.String(), "ERROR unguarded")
}

//go:build amd64 || arm64

package spawn

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// What SysProcAttr asks for that a script can do.

func TestAProgramIsInThisOnesSessionAndGroupUnlessItIsToHaveItsOwn(t *testing.T) {
	session, err := unix.Getsid(0)
	require.NoError(t, err)
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		got := reported(t, output(t, f, cmd))
		assert.Equal(t, [2]int{unix.Getpgrp(), session}, [2]int{got.Group, got.Session})

		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		got = reported(t, output(t, f, cmd))
		assert.Equal(t, [2]int{got.PID, session}, [2]int{got.Group, got.Session}, "Setpgid")

		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		got = reported(t, output(t, f, cmd))
		assert.Equal(t, [2]int{got.PID, got.PID}, [2]int{got.Group, got.Session}, "Setsid")
		assert.Zero(t, got.Terminal)
		assert.Equal(t, unix.ENXIO.Error(), got.OpenTerminal, "it has no controlling terminal")
	})
}

func TestSetcttyMakesStandardInputTheControllingTerminal(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		for _, setctty := range []bool{true, false} {
			ours, theirs, err := pty.Open()
			require.NoError(t, err)
			defer ours.Close()
			fd := int(theirs.Fd())
			var device unix.Stat_t
			require.NoError(t, unix.Fstat(fd, &device))
			cmd := helper("report")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: setctty}
			pid := born(t, f, &Program{Cmd: cmd, Files: [3]int{fd, fd, 2}})
			require.NoError(t, theirs.Close())
			require.NoError(t, ours.SetReadDeadline(time.Now().Add(patience)))
			line, err := bufio.NewReader(ours).ReadString('\n')
			require.NoError(t, err)
			assert.Zero(t, ended(t, pid))
			got := reported(t, line)
			assert.Equal(t, pid, got.Session)
			if setctty {
				assert.Equal(t, int(device.Rdev), got.Terminal)
				assert.Empty(t, got.OpenTerminal)
			} else {
				assert.Zero(t, got.Terminal)
				assert.Equal(t, unix.ENXIO.Error(), got.OpenTerminal)
			}
		}
	})
}

func TestSetcttyOfNoTerminalFails(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		_, err := begin(f, &Program{Cmd: cmd, Files: quiet()})
		assert.ErrorIs(t, err, unix.ENOTTY)
	})
}

func TestPdeathsigIsSet(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		cmd := helper("report")
		assert.Zero(t, reported(t, output(t, f, cmd)).DeathSignal)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGUSR2}
		assert.EqualValues(t, syscall.SIGUSR2, reported(t, output(t, f, cmd)).DeathSignal)
	})
}

func init() {
	helpers["pause"] = func() { time.Sleep(time.Hour) }
	// "parent" starts one that has a parent-death signal, prints its process ID, and waits.
	helpers["parent"] = func() {
		f := New(os.Args[1] == "plain")
		cmd := helper("pause")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		fmt.Println(begin(f, &Program{Cmd: cmd, Files: quiet()}))
		time.Sleep(time.Hour)
	}
}

func TestAProgramWithPdeathsigEndsWithThisOne(t *testing.T) {
	for _, way := range []string{"script", "plain"} {
		t.Run(way, func(t *testing.T) {
			parent := exec.Command(self, way)
			parent.Env = []string{helperVariable + "=parent"}
			out, err := parent.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, parent.Start())
			defer func() { parent.Process.Kill(); parent.Wait() }()
			line, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			text, found := strings.CutSuffix(line, " <nil>\n")
			require.True(t, found, "%s", line)
			pid, err := strconv.Atoi(text)
			require.NoError(t, err)
			require.True(t, testkit.Alive(pid))
			require.NoError(t, parent.Process.Kill())
			testkit.Gone(t, pid)
		})
	}
}

// TestPdeathsigIsNotOfTheThreadThatStarts lets the thread end that has asked for a
// program: the kernel sends the signal when the thread ends that forked.
func TestPdeathsigIsNotOfTheThreadThatStarts(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		type started struct {
			pid, thread int
			err         error
		}
		result := make(chan started)
		go func() {
			runtime.LockOSThread() // for ever: the thread ends with this goroutine
			cmd := helper("pause")
			cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
			pid, err := begin(f, &Program{Cmd: cmd, Files: quiet()})
			result <- started{pid, unix.Gettid(), err}
		}()
		s := <-result
		require.NoError(t, s.err)
		killed(t, s.pid)
		if s.thread != os.Getpid() { // the first thread does not end
			task := fmt.Sprintf("/proc/self/task/%d", s.thread)
			require.Eventually(t, func() bool { return unix.Access(task, unix.F_OK) != nil }, patience, tick)
		}
		assert.True(t, testkit.Alive(s.pid))
	})
}

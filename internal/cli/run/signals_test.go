//go:build unix

package run_test

import (
	"bufio"
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

func TestSignalsEndItGracefully(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd := clitest.Command(t, append([]string{"run", "--grace", "1h"}, clitest.Helper(t, "polite")...)...)
			out := clitest.Start(t, cmd)
			pid := clitest.ReadPID(t, out)
			cmd.Process.Signal(sig)
			rest, _ := io.ReadAll(out)
			assert.Equal(t, 4, clitest.Wait(t, cmd), "exit code")
			assert.Equal(t, "good-bye\n", string(rest))
			assert.False(t, testkit.Alive(pid), "it is still there")
		})
	}
}

func TestASecondSignalKills(t *testing.T) {
	cmd := clitest.Command(t, append([]string{"run", "--grace", "1h"}, clitest.Helper(t, "stubborn")...)...)
	out := clitest.Start(t, cmd)
	pid := clitest.ReadPID(t, out)
	cmd.Process.Signal(syscall.SIGINT)
	again(t, cmd, syscall.SIGTERM, pid)
	io.Copy(io.Discard, out)
	assert.Equal(t, 137, clitest.Wait(t, cmd), "exit code")
	assert.False(t, testkit.Alive(pid), "it is still there")
}

func TestASecondSignalKillsAlsoWhenNobodyReads(t *testing.T) {
	cmd := clitest.Command(t, append([]string{"run", "--grace", "1h"}, clitest.Helper(t, "flood", "1000000000")...)...)
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	clitest.Start(t, cmd)
	pid := clitest.ReadPID(t, bufio.NewReader(errs))
	cmd.Process.Signal(syscall.SIGINT)
	again(t, cmd, syscall.SIGTERM, pid)
	insist(t, cmd, syscall.SIGTERM) // the first signal may have ended the process, and its output waits
	assert.Contains(t, []int{137, 143}, clitest.Wait(t, cmd), "exit code")
}

func TestAnIgnoredHangUpStaysIgnored(t *testing.T) {
	cmd := clitest.Command(t)
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap "" HUP; exec "$0" run -i -- cat`, clitest.Self(t)}
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out := clitest.Start(t, cmd)
	for _, line := range []string{"before\n", "after\n"} {
		io.WriteString(in, line)
		got, err := out.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, line, got)
		cmd.Process.Signal(syscall.SIGHUP)
	}
	in.Close()
	assert.Equal(t, 0, clitest.Wait(t, cmd), "exit code")
}

// again asks the command line to end until the process has: a signal that comes too
// soon is not meant again.
func again(t *testing.T, cmd *exec.Cmd, sig syscall.Signal, pid int) {
	t.Helper()
	testkit.Eventually(t, func(c *assert.CollectT) {
		if assert.False(c, testkit.Alive(pid), "it has not ended") {
			return
		}
		cmd.Process.Signal(sig)
	})
}

// insist asks the command line to end until it has, or the test.
func insist(t *testing.T, cmd *exec.Cmd, sig syscall.Signal) {
	t.Helper()
	ticker, over := time.NewTicker(50*time.Millisecond), make(chan struct{})
	t.Cleanup(func() { close(over) })
	go func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				cmd.Process.Signal(sig)
			case <-over:
				return
			}
		}
	}()
}

//go:build unix

package run_test

import (
	"bufio"
	"io"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/procession-go/procession/internal/cli/clitest"
)

func TestSignalsEndItGracefully(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd := clitest.Command(t, append([]string{"run", "--grace", "1h"}, clitest.Helper(t, "polite")...)...)
			out := clitest.Start(t, cmd)
			pid := clitest.ReadPID(t, out)
			cmd.Process.Signal(sig)
			rest, _ := io.ReadAll(out)
			if code := clitest.Wait(t, cmd); code != 4 || string(rest) != "good-bye\n" {
				t.Errorf("exit code %d, output %q", code, rest)
			}
			if !clitest.Dead(pid) {
				t.Error("it is still there")
			}
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
	if code := clitest.Wait(t, cmd); code != 137 {
		t.Errorf("exit code %d, want 137", code)
	}
	if !clitest.Dead(pid) {
		t.Error("it is still there")
	}
}

func TestASecondSignalKillsAlsoWhenNobodyReads(t *testing.T) {
	cmd := clitest.Command(t, append([]string{"run", "--grace", "1h"}, clitest.Helper(t, "flood", "1000000000")...)...)
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	clitest.Start(t, cmd)
	pid := clitest.ReadPID(t, bufio.NewReader(errs))
	cmd.Process.Signal(syscall.SIGINT)
	again(t, cmd, syscall.SIGTERM, pid)
	insist(t, cmd, syscall.SIGTERM) // the first signal may have ended the process, and its output waits
	if code := clitest.Wait(t, cmd); code != 137 && code != 143 {
		t.Errorf("exit code %d", code)
	}
}

func TestAnIgnoredHangUpStaysIgnored(t *testing.T) {
	cmd := clitest.Command(t)
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap "" HUP; exec "$0" run -i -- cat`, clitest.Self(t)}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := clitest.Start(t, cmd)
	for _, line := range []string{"before\n", "after\n"} {
		io.WriteString(in, line)
		if got, err := out.ReadString('\n'); got != line {
			t.Fatalf("got %q, %v, want %q", got, err, line)
		}
		cmd.Process.Signal(syscall.SIGHUP)
	}
	in.Close()
	if code := clitest.Wait(t, cmd); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// again asks the command line to end until the process has: a signal that comes too
// soon is not meant again.
func again(t *testing.T, cmd *exec.Cmd, sig syscall.Signal, pid int) {
	t.Helper()
	clitest.Until(t, "it has ended", func() bool {
		if clitest.Dead(pid) {
			return true
		}
		cmd.Process.Signal(sig)
		return false
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

//go:build unix

package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/procession-go/procession/internal/testkit"
)

// patience is how long a test waits for what must come.
const patience = 60 * time.Second

// cli is the command line, to be run with args.
func cli(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	testkit.NeedsFor(t, args...)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, self(t), args...)
	cmd.Env = append(os.Environ(), asCLI+"=1", "NO_COLOR=")
	return cmd
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// helper is the arguments of run that make it run a helper.
func helper(t *testing.T, name string, args ...string) []string {
	return append([]string{"-e", asHelper + "=" + name, "--", self(t)}, args...)
}

type result struct {
	stdout, stderr string
	code           int
}

// runCLI runs the command line to its end.
func runCLI(t *testing.T, args ...string) result {
	t.Helper()
	return runCmd(t, cli(t, args...))
}

func runCmd(t *testing.T, cmd *exec.Cmd) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	code := wait(t, cmd)
	return result{stdout.String(), stderr.String(), code}
}

// wait is the exit code of a command that has been started.
func wait(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// until waits for something that no event tells of.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// again asks the command line to end until the process has: a signal that comes too
// soon is not meant again.
func again(t *testing.T, cmd *exec.Cmd, sig syscall.Signal, pid int) {
	t.Helper()
	until(t, "it has ended", func() bool {
		if dead(pid) {
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

// dead reports whether a process has ended. If this program's parent does not
// reap it, it may be a zombie.
func dead(pid int) bool {
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || processState(pid) == "Z"
}

// oneLine checks that text is one line that contains each of parts.
func oneLine(t *testing.T, text string, parts ...string) {
	t.Helper()
	if !strings.HasPrefix(text, "procession: ") || strings.Count(text, "\n") != 1 || !strings.HasSuffix(text, "\n") {
		t.Errorf("stderr is %q, want one line that begins with procession:", text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("stderr is %q, want %q in it", text, part)
		}
	}
}

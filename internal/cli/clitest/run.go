//go:build unix

package clitest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Patience is how long a test waits for what must come.
const Patience = 60 * time.Second

// Command is the command line, to be run with args.
func Command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, Self(t), args...)
	cmd.Env = append(os.Environ(), asCLI+"=1", "NO_COLOR=")
	return cmd
}

// Self is the path of the test binary.
func Self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// Helper is the arguments of run that make it run a helper.
func Helper(t *testing.T, name string, args ...string) []string {
	return append([]string{"-e", AsHelper + "=" + name, "--", Self(t)}, args...)
}

// Result is what a command line has written, and its exit code.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Run runs the command line to its end.
func Run(t *testing.T, args ...string) Result {
	t.Helper()
	return RunCommand(t, Command(t, args...))
}

// RunCommand runs a command to its end.
func RunCommand(t *testing.T, cmd *exec.Cmd) Result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	code := Wait(t, cmd)
	return Result{stdout.String(), stderr.String(), code}
}

// Wait is the exit code of a command that has been started.
func Wait(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

// Until waits for something that no event tells of.
func Until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(Patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain until %s", what)
		}
	}
}

// Dead reports whether a process has ended. If this program's parent does not
// reap it, it may be a zombie.
func Dead(pid int) bool {
	return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) || processState(pid) == "Z"
}

// OneLine checks that text is one line that contains each of parts.
func OneLine(t *testing.T, text string, parts ...string) {
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

// Start starts the command line and answers its standard output.
func Start(t *testing.T, cmd interface {
	StdoutPipe() (io.ReadCloser, error)
	Start() error
}) *bufio.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(out)
}

// ReadPID reads what a helper says of itself.
func ReadPID(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	line, err := r.ReadString('\n')
	pid, convErr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || convErr != nil {
		t.Fatalf("no PID but %q, %v", line, err)
	}
	return pid
}

// processState is the letter that ps shows, "" if there is no such process.
func processState(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	return fields[0]
}

// Line reads a line, and is that without its end.
func Line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
}

//go:build unix

package clitest

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// Patience is how long a command line may take.
const Patience = 2 * testkit.Patience

// Command is the command line, to be run with args. If they name a program that is not
// installed, the test is skipped.
func Command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	testkit.NeedsFor(t, args...)
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
	assert.NoError(t, err)
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
	require.NoError(t, cmd.Start())
	code := Wait(t, cmd)
	return Result{stdout.String(), stderr.String(), code}
}

// Wait is the exit code of a command that has been started.
func Wait(t *testing.T, cmd *exec.Cmd) int {
	t.Helper()
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return cmd.ProcessState.ExitCode()
}

// OneLine checks that text is one line that contains each of parts.
func OneLine(t *testing.T, text string, parts ...string) {
	t.Helper()
	assert.Regexp(t, `^procession: .*\n$`, text)
	assert.Equal(t, 1, strings.Count(text, "\n"), "lines of %q", text)
	for _, part := range parts {
		assert.Contains(t, text, part)
	}
}

// Start starts the command line and answers its standard output.
func Start(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return bufio.NewReader(out)
}

// ReadPID reads what a helper says of itself.
func ReadPID(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	pid, err := strconv.Atoi(Line(t, r))
	require.NoError(t, err)
	return pid
}

// Line reads a line, and is that without its end.
func Line(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
}

//go:build linux

package terminal_test

import (
	"bufio"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
)

// What is not typed at a terminal comes from a file, and ends with it.
func TestATerminalWhoseInputIsAFile(t *testing.T) {
	for name, test := range map[string]struct {
		args          []string
		input, output string
	}{
		"nothing":        {[]string{"--", "cat"}, "", ""},
		"nothing, -i":    {[]string{"-i", "--", "cat"}, "", ""},
		"a line":         {[]string{"--", "sh", "-c", "stty -echo; cat"}, "hello\n", "hello\r\n"},
		"no end of line": {[]string{"--", "sh", "-c", "stty -echo; cat | wc -c"}, "hello", "5\r\n"},
		"a shell line":   {[]string{"cat; echo end"}, "", "end\r\n"},
	} {
		cmd := clitest.Command(t, append([]string{"run", "-t"}, test.args...)...)
		cmd.Stdin = strings.NewReader(test.input)
		got := clitest.RunCommand(t, cmd)
		assert.Zero(t, got.Code, name)
		assert.Empty(t, got.Stderr, name)
		assert.Contains(t, strings.ReplaceAll(got.Stdout, "^D\b\b", ""), test.output, name)
	}
}

func TestALineThatATerminalCannotTakeIsTold(t *testing.T) {
	cmd := clitest.Command(t, "run", "-t", "--", "sh", "-c", "wc -l")
	cmd.Stdin = strings.NewReader("one\n" + strings.Repeat("x", 5000) + "\nthree\n")
	got := clitest.RunCommand(t, cmd)
	assert.Contains(t, got.Stdout, "1\r\n")
	clitest.OneLine(t, got.Stderr, "the rest of standard input is not passed on", "4,095 bytes")
}

func TestAnInputThatCannotBeEndedIsTold(t *testing.T) {
	cmd := clitest.Command(t, "run", "-t", "--", "sh", "-c", "stty raw -echo; echo raw; exec sleep 1000")
	input, err := cmd.StdinPipe()
	require.NoError(t, err)
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	said := clitest.Start(t, cmd)
	require.Equal(t, "raw", clitest.Line(t, said))
	input.Close()
	assert.Contains(t, clitest.Line(t, bufio.NewReader(errs)), "no end-of-file")
	cmd.Process.Signal(syscall.SIGTERM)
	assert.Equal(t, 143, clitest.Wait(t, cmd))
}

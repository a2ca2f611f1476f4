//go:build unix

package run_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/cli/clitest"
)

func TestStandardInputIsEmptyUnlessAskedFor(t *testing.T) {
	cmd := clitest.Command(t, "run", "--", "cat")
	cmd.Stdin = strings.NewReader("not for it")
	assert.Equal(t, clitest.Result{}, clitest.RunCommand(t, cmd))
}

func TestStandardInputIsPassedOn(t *testing.T) {
	want, _ := io.ReadAll(clitest.Noise(9, 3_000_000))
	for _, args := range [][]string{{"run", "-i", "--", "cat"}, {"run", "-i", "cat -"}} {
		cmd := clitest.Command(t, args...)
		cmd.Stdin = bytes.NewReader(want)
		got := clitest.RunCommand(t, cmd)
		assert.True(t, got.Stdout == string(want), "%q: %d bytes came back of %d, or different ones", args, len(got.Stdout), len(want))
		assert.Empty(t, got.Stderr, "%q", args)
		assert.Zero(t, got.Code, "exit code of %q", args)
	}
}

func TestAProgramThatDoesNotReadItsInput(t *testing.T) {
	cmd := clitest.Command(t, "run", "-i", "--", "sh", "-c", "exec <&-; echo done")
	cmd.Stdin = clitest.Noise(1, 3_000_000)
	assert.Equal(t, clitest.Result{Stdout: "done\n"}, clitest.RunCommand(t, cmd))
}

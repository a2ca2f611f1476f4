//go:build unix

package run_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/procession-go/procession/internal/cli/clitest"
)

func TestStandardInputIsEmptyUnlessAskedFor(t *testing.T) {
	cmd := clitest.Command(t, "run", "--", "cat")
	cmd.Stdin = strings.NewReader("not for it")
	if got := clitest.RunCommand(t, cmd); got.Stdout != "" || got.Code != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestStandardInputIsPassedOn(t *testing.T) {
	want, _ := io.ReadAll(clitest.Noise(9, 3_000_000))
	for _, args := range [][]string{{"run", "-i", "--", "cat"}, {"run", "-i", "cat -"}} {
		cmd := clitest.Command(t, args...)
		cmd.Stdin = bytes.NewReader(want)
		if got := clitest.RunCommand(t, cmd); got.Stdout != string(want) || got.Stderr != "" || got.Code != 0 {
			t.Errorf("%q: %d bytes came back of %d, or different ones; exit code %d, stderr %q",
				args, len(got.Stdout), len(want), got.Code, got.Stderr)
		}
	}
}

func TestAProgramThatDoesNotReadItsInput(t *testing.T) {
	cmd := clitest.Command(t, "run", "-i", "--", "sh", "-c", "exec <&-; echo done")
	cmd.Stdin = clitest.Noise(1, 3_000_000)
	if got := clitest.RunCommand(t, cmd); got.Stdout != "done\n" || got.Stderr != "" || got.Code != 0 {
		t.Errorf("got %+v", got)
	}
}

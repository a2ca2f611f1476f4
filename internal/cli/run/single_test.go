//go:build unix

package run_test

import (
	"io"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/cli/clitest"
)

func TestOutputIsByteExact(t *testing.T) {
	const n = 5_000_000
	got := clitest.Run(t, append([]string{"run"}, clitest.Helper(t, "binary", strconv.Itoa(n))...)...)
	for stream, text := range map[byte]string{1: got.Stdout, 2: got.Stderr} {
		want, _ := io.ReadAll(clitest.Noise(stream, n))
		if text != string(want) {
			t.Errorf("stream %d: %d bytes came, or different ones; %d were written", stream, len(text), n)
		}
	}
	if got.Code != 0 {
		t.Errorf("exit code %d", got.Code)
	}
}

func TestDirAndEnvironment(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("INHERITED", "yes")
	script := `pwd; echo "$INHERITED" "$A" "$B"`
	got := clitest.Run(t, "run", "-C", dir, "-e", "A=1,2", "-e", "B= x", "--", "/bin/sh", "-c", script)
	if want := dir + "\nyes 1,2  x\n"; got.Stdout != want {
		t.Errorf("got %q, want %q", got.Stdout, want)
	}
	got = clitest.Run(t, "run", "-C", dir, "-e", "A=1", "--clear-env", "--", "/bin/sh", "-c", script)
	if want := dir + "\n 1 \n"; got.Stdout != want {
		t.Errorf("with an empty environment: got %q, want %q", got.Stdout, want)
	}
}

// What waits inside procession besides is said, and how much that is.
func TestHelpSaysHowMuchWaits(t *testing.T) {
	help := clitest.Run(t, "run", "--help").Stdout
	assert.Regexp(t, `--output-limit size .*; besides, about 16 MiB of it wait inside procession`, help)
}

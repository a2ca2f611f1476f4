//go:build unix

package run_test

import (
	"io"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
)

func TestOutputIsByteExact(t *testing.T) {
	const n = 5_000_000
	got := clitest.Run(t, append([]string{"run"}, clitest.Helper(t, "binary", strconv.Itoa(n))...)...)
	for stream, text := range map[byte]string{1: got.Stdout, 2: got.Stderr} {
		want, _ := io.ReadAll(clitest.Noise(stream, n))
		assert.True(t, text == string(want), "stream %d: %d bytes came, or different ones; %d were written", stream, len(text), n)
	}
	assert.Zero(t, got.Code, "exit code")
}

func TestDirAndEnvironment(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	t.Setenv("INHERITED", "yes")
	script := `pwd; echo "$INHERITED" "$A" "$B"`
	got := clitest.Run(t, "run", "-C", dir, "-e", "A=1,2", "-e", "B= x", "--", "/bin/sh", "-c", script)
	assert.Equal(t, dir+"\nyes 1,2  x\n", got.Stdout)
	got = clitest.Run(t, "run", "-C", dir, "-e", "A=1", "--clear-env", "--", "/bin/sh", "-c", script)
	assert.Equal(t, dir+"\n 1 \n", got.Stdout, "with an empty environment")
}

// What waits inside procession besides is said, and how much that is.
func TestHelpSaysHowMuchWaits(t *testing.T) {
	help := clitest.Run(t, "run", "--help").Stdout
	assert.Regexp(t, `--output-limit size .*; besides, about 16 MiB of it wait inside procession`, help)
}

//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/testkit"
)

// That a directory may not be entered is not blamed on the program, by any command.
func TestADirectoryThatMayNotBeEntered(t *testing.T) {
	if testkit.AsNobody(t) {
		return
	}
	closed := filepath.Join(t.TempDir(), "closed")
	require.NoError(t, os.Mkdir(closed, 0o600))
	t.Cleanup(func() { os.Chmod(closed, 0o700) })
	says := "chdir " + closed + ": permission denied"
	for _, args := range [][]string{{"--", "/bin/true"}, {"--", "true"}, {"echo never"}, {"echo never", "echo never"}, {"-t", "echo never"}} {
		r := clitest.Run(t, append([]string{"run", "-C", closed}, args...)...)
		assert.Equal(t, console.CodeUsage, r.Code)
		clitest.OneLine(t, r.Stderr, "--dir: "+says)
		assert.Empty(t, r.Stdout)
	}
	for processes, want := range map[string]string{
		"a: {command: [/bin/true], dir: " + closed + "}":  `a not started: start "/bin/true": ` + says,
		"a: {command: echo never, dir: " + closed + "/x}": `a not started: start "/bin/sh": chdir ` + closed + "/x: permission denied",
		`a: {command: 'cd /; chmod 600 "$OLDPWD"', dir: dir, restart: {when: always, max_restarts: 1, min_backoff: 1ms, max_backoff: 1ms}}`: `a not started again: start "/bin/sh": chdir `,
	} {
		file := clitest.PoolYAML(t, "processes: {"+processes+"}")
		dir := filepath.Join(filepath.Dir(file), "dir")
		require.NoError(t, os.Mkdir(dir, 0o700))
		t.Cleanup(func() { os.Chmod(dir, 0o700) })
		r := clitest.Run(t, "up", file)
		assert.Equal(t, console.CodeNotExecutable, r.Code)
		assert.Contains(t, r.Stderr, want)
		assert.NotContains(t, r.Stdout, "never")
	}
}

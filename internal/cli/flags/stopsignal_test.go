//go:build linux

package flags_test

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
)

func TestStopSignal(t *testing.T) {
	const script = `trap 'echo heard; exit 4' USR1; trap 'exit 5' TERM; sh -c "echo on; exec sleep 1000" & while :; do wait; done`
	dir := t.TempDir()
	yaml := filepath.Join(dir, "procession.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Procfile"), []byte("a: "+script+"\n"), 0o600))
	text := "processes:\n  a:\n    stop_signal: usr1\n    command: |\n      " + script + "\n"
	require.NoError(t, os.WriteFile(yaml, []byte(text), 0o600))
	for name, args := range map[string][]string{
		"run": {"run", "--stop-signal", "usr1", "--", "sh", "-c", script}, "lines": {"run", "-q", "--stop-signal", "SIGUSR1", script},
		"a number": {"run", "--stop-signal", "10", "--", "sh", "-c", script}, "a terminal": {"run", "-t", "--stop-signal", "USR1", "--", "sh", "-c", script},
		"up": {"up", "--stop-signal", "usr1", filepath.Join(dir, "Procfile")}, "the file": {"up", "--stop-signal", "int", yaml},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := clitest.Command(t, args...)
			said := clitest.Start(t, cmd)
			require.Contains(t, clitest.Line(t, said), "on")
			cmd.Process.Signal(syscall.SIGTERM)
			assert.Contains(t, clitest.Line(t, said), "heard")
			io.Copy(io.Discard, said)
			clitest.Wait(t, cmd)
		})
	}
	wrong := clitest.Run(t, "run", "--stop-signal", "nope", "true")
	assert.Equal(t, console.CodeUsage, wrong.Code)
	clitest.OneLine(t, wrong.Stderr, "--stop-signal", "want a signal such as SIGTERM")
}

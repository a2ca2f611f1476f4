//go:build linux

package up_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/backlog"
	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

// Of what was ended while it waited for its reader up does not say that something was
// left behind.
func TestUpTellsWhyOutputIsCut(t *testing.T) {
	// It is killed only when no more can wait for the reader.
	const flood = `'trap "" TERM; exec yes', grace: 500ms`
	for name, test := range map[string]struct {
		processes string
		asked     bool
		says      string
	}{
		"another fails": {"{a: {command: " + flood + "}, b: {command: 'until test -e $GO; do sleep 0.05; done; exit 2'}}", false,
			"a stopped: signal: SIGKILL, output cut"},
		"it is asked to end": {"{a: {command: " + flood + "}}", true, "a stopped: signal: SIGKILL, output cut"},
		"its time is over":   {"{a: {command: " + flood + ", timeout: 2s}}", false, "a exited: signal: SIGKILL (timeout), output cut"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			goAhead := filepath.Join(t.TempDir(), "go")
			cmd := clitest.Command(t, "up", "--log-dir", dir, clitest.PoolYAML(t, "processes: "+test.processes))
			cmd.Env = append(cmd.Env, "GO="+goAhead)
			unread, stdout, err := os.Pipe()
			require.NoError(t, err)
			defer unread.Close()
			stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
			require.NoError(t, err)
			defer stderr.Close()
			cmd.Stdout, cmd.Stderr = stdout, stderr
			require.NoError(t, cmd.Start())
			stdout.Close()
			testkit.Eventually(t, func(c *assert.CollectT) {
				var size int64
				logs, _ := filepath.Glob(filepath.Join(dir, "a*.log"))
				for _, log := range logs {
					if info, err := os.Stat(log); err == nil {
						size += info.Size()
					}
				}
				assert.GreaterOrEqual(c, size, int64(backlog.Limit), "what it has written: its reader is not waited for")
			})
			require.NoError(t, os.WriteFile(goAhead, nil, 0o600))
			said := func() string {
				text, _ := os.ReadFile(stderr.Name())
				return string(text)
			}
			var pid int
			_, began, _ := strings.Cut(said(), "a started (pid ")
			fmt.Sscanf(began, "%d", &pid)
			require.NotZero(t, pid, said())
			if test.asked {
				cmd.Process.Signal(syscall.SIGTERM)
			}
			testkit.Eventually(t, func(c *assert.CollectT) {
				_, there := testkit.Look(pid)
				assert.False(c, there, "it is not gone")
			})
			if !test.asked {
				cmd.Process.Signal(syscall.SIGTERM) // so that the reader is given up
			}
			clitest.Wait(t, cmd)
			assert.Contains(t, said(), test.says+": it was ended before it had written all")
		})
	}
}

//go:build linux

package tsclient

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

// patience is how long the client may take for all of its steps.
const patience = time.Minute

// modulesVariable names the folder of node_modules, if that is not this one.
const modulesVariable = "PROCESSION_TSCLIENT"

// TestClient: the SDK's client finds what it expects, and leaves nothing behind.
func TestClient(t *testing.T) {
	room := room(t)
	program := filepath.Join(room, "procession")
	out, err := exec.Command("go", "build", "-o", program, "../../../cmd/procession").CombinedOutput()
	require.NoError(t, err, "%s", out)

	t.Run("stdio", func(t *testing.T) {
		t.Parallel()
		testkit.NoneMarked(t, drive(t, room, "stdio", program, "mcp", "--grace", "200ms"))
	})
	t.Run("http", func(t *testing.T) {
		t.Parallel()
		log := filepath.Join(t.TempDir(), "log")
		server := exec.Command(program, "mcp", "--http", "127.0.0.1:0", "--grace", "200ms", "--log-file", log)
		require.NoError(t, server.Start())
		defer server.Wait()
		defer server.Process.Kill()
		testkit.NoneMarked(t, drive(t, room, "http", listening(t, log))) // and the server still runs
		server.Process.Signal(syscall.SIGTERM)
		assert.NoError(t, server.Wait())
	})
}

// room makes a folder with the client, in which node finds its modules.
func room(t *testing.T) string {
	t.Helper()
	testkit.Needs(t, "node")
	named := os.Getenv(modulesVariable)
	modules, err := filepath.Abs(filepath.Join(cmp.Or(named, "."), "node_modules"))
	require.NoError(t, err)
	if _, err := os.Stat(filepath.Join(modules, "@modelcontextprotocol", "sdk")); named == "" && err != nil {
		t.Skip("the modules of the client are not installed; install them with: cd adapters/mcpserver/tsclient && npm ci")
	} else {
		require.NoError(t, err)
	}
	dir := t.TempDir()
	client, err := os.ReadFile("client.mjs")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "client.mjs"), client, 0o644))
	require.NoError(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	return dir
}

// drive runs the client to its end, and returns the name of the engine.
func drive(t *testing.T, room string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "node", append([]string{filepath.Join(room, "client.mjs")}, args...)...).CombinedOutput()
	require.NoError(t, err, "the client says\n%s", out)
	require.Contains(t, string(out), "ok close", "%s", out) // it came to its last step
	engine := regexp.MustCompile(`(?m)^engine (\S+)$`).FindSubmatch(out)
	require.NotNil(t, engine, "the client says\n%s", out)
	t.Logf("the client says\n%s", out)
	return string(engine[1])
}

// listening is the URL of the server that logs there.
func listening(t *testing.T, log string) (url string) {
	t.Helper()
	testkit.Eventually(t, func(c *assert.CollectT) {
		text, _ := os.ReadFile(log)
		m := regexp.MustCompile(`msg=listening url=(\S+)\n`).FindSubmatch(text)
		if assert.NotNil(c, m, "it does not log where it listens: %s", text) {
			url = string(m[1])
		}
	})
	return url
}

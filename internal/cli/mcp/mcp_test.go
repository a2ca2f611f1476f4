//go:build unix

package mcp_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/testkit"
)

// mcpClient connects the SDK's client.
func mcpClient(t *testing.T, transport mcp.Transport) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), transport, nil)
	require.NoError(t, err)
	t.Cleanup(func() { session.Close() })
	return session
}

// mcpServer is procession mcp with flags, on pipes, with a client.
func mcpServer(t *testing.T, flags ...string) (*exec.Cmd, *mcp.ClientSession) {
	t.Helper()
	cmd := clitest.Command(t, append([]string{"mcp"}, flags...)...)
	cmd.Stderr = os.Stderr
	return cmd, mcpClient(t, &mcp.CommandTransport{Command: cmd, TerminateDuration: clitest.Patience})
}

// useTool calls a tool.
func useTool(t *testing.T, c *mcp.ClientSession, name string, in map[string]any) (text string, result map[string]any, failed bool) {
	t.Helper()
	r, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: in})
	require.NoError(t, err, name)
	result, _ = r.StructuredContent.(map[string]any)
	return r.Content[0].(*mcp.TextContent).Text, result, r.IsError
}

// mcpTree starts a tree of processes and returns the process IDs: a shell, a
// child that ignores requests to end, and one that has left the group as well.
func mcpTree(t *testing.T, c *mcp.ClientSession) (pids []int) {
	t.Helper()
	text, started, failed := useTool(t, c, "start_process", map[string]any{"command": `echo $$
sh -c 'trap "" TERM HUP; echo $$; while :; do sleep 600; done' &
setsid sh -c 'trap "" TERM HUP; echo $$; while :; do sleep 600; done' &
wait`})
	require.False(t, failed, text)
	for cursor := 0.0; len(pids) < 3; {
		_, r, _ := useTool(t, c, "get_process_output", map[string]any{"process_id": started["process_id"], "cursor": cursor, "wait_seconds": clitest.Patience.Seconds()})
		cursor = r["next_cursor"].(float64)
		for line := range strings.Lines(r["output"].(string)) {
			pid, err := strconv.Atoi(strings.TrimSpace(line))
			require.NoError(t, err)
			pids = append(pids, pid)
		}
	}
	return pids
}

func TestMCPEnds(t *testing.T) {
	testkit.Needs(t, "setsid")
	for name, end := range map[string]func(*exec.Cmd, *mcp.ClientSession){
		"end of input": func(_ *exec.Cmd, c *mcp.ClientSession) { c.Close() },
		"SIGTERM":      func(cmd *exec.Cmd, _ *mcp.ClientSession) { cmd.Process.Signal(syscall.SIGTERM) },
		"SIGINT":       func(cmd *exec.Cmd, _ *mcp.ClientSession) { cmd.Process.Signal(syscall.SIGINT) },
		"SIGKILL":      func(cmd *exec.Cmd, _ *mcp.ClientSession) { cmd.Process.Kill() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd, c := mcpServer(t, "--grace", "100ms")
			pids := mcpTree(t, c)
			end(cmd, c)
			c.Close()
			if name != "SIGKILL" {
				assert.Zero(t, cmd.ProcessState.ExitCode(), "exit code")
			}
			testkit.Gone(t, pids...)
		})
	}
}

func TestMCPFlags(t *testing.T) {
	root := t.TempDir()
	os.Mkdir(filepath.Join(root, "sub"), 0o755)
	_, c := mcpServer(t, "--root", root, "--allow", "s*", "--deny", "stty", "--max-processes", "1", "--max-output", "1KiB")
	tools, err := c.ListTools(t.Context(), nil)
	require.NoError(t, err)
	assert.Len(t, tools.Tools, 11)
	text, started, failed := useTool(t, c, "start_process", map[string]any{"command": "pwd; exec sleep 600", "cwd": "sub", "output_limit": 1024})
	require.False(t, failed, text)
	for want, in := range map[string]map[string]any{
		"outside of":         {"command": "true", "cwd": "/"},
		`does not run "cat"`: {"command": "cat", "args": []string{"x"}},
		"it denies stty":     {"command": "stty", "args": []string{"x"}},
		"1024 bytes":         {"command": "true", "output_limit": 1025},
		"kill_process some":  {"command": "true"},
		"command is true":    {"command": true},
	} {
		text, _, failed := useTool(t, c, "start_process", in)
		assert.True(t, failed, "%v: %s", in, text)
		assert.Contains(t, text, want, "%v", in)
	}
	text, r, _ := useTool(t, c, "kill_process", map[string]any{"process_id": started["process_id"]})
	assert.Equal(t, "SIGTERM", r["signal"], text)
}

// TestMCPLogFile: what is logged goes to the file, and nowhere else.
func TestMCPLogFile(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	os.WriteFile(log, []byte("a line from before\n"), 0o600)
	cmd := clitest.Command(t, "mcp", "--http", "127.0.0.1:0", "--log-file", log)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	listening(t, cmd, log)
	cmd.Process.Signal(syscall.SIGTERM)
	assert.Equal(t, 0, clitest.Wait(t, cmd), "exit code")
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	assert.Regexp(t, `^a line from before\n`, string(text))
	assert.Empty(t, stdout.String())
	assert.Empty(t, stderr.String())
}

// listening starts a server over HTTP and returns its URL, which is in its log.
func listening(t *testing.T, cmd *exec.Cmd, log string) (url string) {
	t.Helper()
	require.NoError(t, cmd.Start())
	testkit.Eventually(t, func(c *assert.CollectT) {
		text, _ := os.ReadFile(log)
		m := regexp.MustCompile(`msg=listening url=(\S+)\n`).FindSubmatch(text)
		if assert.NotNil(c, m, "it does not log where it listens: %s", text) {
			url = string(m[1])
		}
	})
	return url
}

// TestMCPSessionsKeepTheirResults: a session that starts more processes than an
// engine keeps by itself takes nothing away from another.
func TestMCPSessionsKeepTheirResults(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	cmd := clitest.Command(t, "mcp", "--http", "127.0.0.1:0", "--log-file", log)
	url := listening(t, cmd, log)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	connect := func() *mcp.ClientSession {
		return mcpClient(t, &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: transport}, MaxRetries: -1})
	}
	one, many := connect(), connect()
	_, started, _ := useTool(t, one, "start_process", map[string]any{"command": "echo mine"})
	mine := map[string]any{"process_id": started["process_id"]}
	useTool(t, one, "wait_for_process", mine)
	for range procession.DefaultMaxExited + 1 {
		useTool(t, many, "start_process", map[string]any{"command": "true", "args": []string{"x"}})
	}
	text, r, failed := useTool(t, one, "get_process_output", mine)
	assert.False(t, failed, text)
	assert.Equal(t, "mine\n", r["output"], text)
	_, r, _ = useTool(t, many, "list_processes", nil)
	assert.LessOrEqual(t, len(r["processes"].([]any)), 2*256, "processes that are kept")
	one.Close()
	many.Close()
	cmd.Process.Signal(syscall.SIGTERM)
	clitest.Wait(t, cmd)
}

func TestMCPUsage(t *testing.T) {
	token := filepath.Join(t.TempDir(), "token")
	os.WriteFile(token, []byte(" \n"), 0o600)
	for _, test := range []struct {
		flags []string
		want  string
	}{
		{[]string{"arg"}, "unknown command"},
		{[]string{"--http", "127.0.0.1"}, "--http"},
		{[]string{"--http", "0.0.0.0:0"}, "without --token-file"},
		{[]string{"--http", ":0"}, "without --token-file"},
		{[]string{"--token-file", token}, "for --http"},
		{[]string{"--http", "127.0.0.1:0", "--token-file", token}, "does not contain one token"},
		{[]string{"--http", "127.0.0.1:0", "--token-file", token + "-none"}, "no such file"},
		{[]string{"--root", token}, "is not a directory"},
		{[]string{"--allow", "[a"}, "malformed"},
		{[]string{"--max-processes", "-1"}, "negative"},
		{[]string{"--idle", "-1s"}, "negative"},
		{[]string{"--grace", "-1s"}, "negative"},
		{[]string{"--log-file", "/no/such/directory/log"}, "no such file"},
	} {
		r := clitest.Run(t, append([]string{"mcp"}, test.flags...)...)
		lines := strings.Split(strings.TrimSpace(r.Stderr), "\n")
		last := lines[len(lines)-1]
		assert.Equal(t, console.CodeUsage, r.Code, "exit code of %q", test.flags)
		assert.Empty(t, r.Stdout, "%q", test.flags)
		assert.Regexp(t, `^procession: `, last, "%q", test.flags)
		assert.Contains(t, last, test.want, "%q", test.flags)
	}
}

// bearer sends a token with each request.
type bearer struct {
	http.RoundTripper
	token string
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.RoundTripper.RoundTrip(r)
}

func TestMCPHTTP(t *testing.T) {
	testkit.Needs(t, "setsid")
	token := filepath.Join(t.TempDir(), "token")
	os.WriteFile(token, []byte("secret\n"), 0o644)
	cmd := clitest.Command(t, "mcp", "--http", "127.0.0.1:0", "--token-file", token, "--grace", "100ms", "--idle", "3s")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	log := bufio.NewReader(stderr)
	url, warned := "", false
	for url == "" {
		line, err := log.ReadString('\n')
		require.NoError(t, err)
		warned = warned || strings.Contains(line, "chmod 600")
		if m := regexp.MustCompile(`url=(\S+)`).FindStringSubmatch(line); m != nil {
			url = m[1]
		}
	}
	assert.True(t, warned, "no warning of a token file that others can read")
	var rest sync.WaitGroup
	rest.Go(func() { io.Copy(io.Discard, log) })

	plain := &http.Transport{}
	defer plain.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), clitest.Patience)
	defer cancel()
	for name, r := range map[string]http.RoundTripper{"no": plain, "a wrong": bearer{plain, "Secret"}} {
		client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
		_, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: r}, MaxRetries: -1}, nil)
		assert.ErrorContains(t, err, "Unauthorized", "with %s token", name)
	}
	connect := func() *mcp.ClientSession {
		return mcpClient(t, &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: bearer{plain, "secret"}}, MaxRetries: -1})
	}
	pids := mcpTree(t, connect())
	testkit.Gone(t, pids...) // because no request comes any more
	ends := connect()
	pids = mcpTree(t, ends)
	ends.Close()
	testkit.Gone(t, pids...)
	pids = mcpTree(t, connect())
	cmd.Process.Signal(syscall.SIGTERM)
	rest.Wait()
	assert.Zero(t, clitest.Wait(t, cmd), "exit code")
	assert.Empty(t, stdout.String())
	testkit.Gone(t, pids...)
}

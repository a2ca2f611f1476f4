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

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
)

// mcpClient connects the SDK's client.
func mcpClient(t *testing.T, transport mcp.Transport) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
	session, err := client.Connect(t.Context(), transport, nil)
	if err != nil {
		t.Fatal(err)
	}
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
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
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
	if failed {
		t.Fatal(text)
	}
	for cursor := 0.0; len(pids) < 3; {
		_, r, _ := useTool(t, c, "get_process_output", map[string]any{"process_id": started["process_id"], "cursor": cursor, "wait_seconds": clitest.Patience.Seconds()})
		cursor = r["next_cursor"].(float64)
		for line := range strings.Lines(r["output"].(string)) {
			pid, err := strconv.Atoi(strings.TrimSpace(line))
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

func allDead(t *testing.T, pids []int) {
	t.Helper()
	for _, pid := range pids {
		clitest.Until(t, "a process has ended", func() bool { return clitest.Dead(pid) })
	}
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
			if code := cmd.ProcessState.ExitCode(); name != "SIGKILL" && code != 0 {
				t.Errorf("exit code %d", code)
			}
			allDead(t, pids)
		})
	}
}

func TestMCPFlags(t *testing.T) {
	root := t.TempDir()
	os.Mkdir(filepath.Join(root, "sub"), 0o755)
	_, c := mcpServer(t, "--root", root, "--allow", "s*", "--deny", "stty", "--max-processes", "1", "--max-output", "1KiB")
	tools, err := c.ListTools(t.Context(), nil)
	if err != nil || len(tools.Tools) != 11 {
		t.Errorf("tools: %v, %v", tools, err)
	}
	text, started, failed := useTool(t, c, "start_process", map[string]any{"command": "pwd; exec sleep 600", "cwd": "sub", "output_limit": 1024})
	if failed {
		t.Fatal(text)
	}
	for want, in := range map[string]map[string]any{
		"outside of":         {"command": "true", "cwd": "/"},
		`does not run "cat"`: {"command": "cat", "args": []string{"x"}},
		"it denies stty":     {"command": "stty", "args": []string{"x"}},
		"1024 bytes":         {"command": "true", "output_limit": 1025},
		"kill_process some":  {"command": "true"},
		"command is true":    {"command": true},
	} {
		if text, _, failed := useTool(t, c, "start_process", in); !failed || !strings.Contains(text, want) {
			t.Errorf("%v: %s, want %q", in, text, want)
		}
	}
	if text, r, _ := useTool(t, c, "kill_process", map[string]any{"process_id": started["process_id"]}); r["signal"] != "SIGTERM" {
		t.Error(text)
	}
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
	if code := clitest.Wait(t, cmd); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if text, _ := os.ReadFile(log); !bytes.HasPrefix(text, []byte("a line from before\n")) || stdout.Len() > 0 || stderr.Len() > 0 {
		t.Errorf("the log is %q, standard output %q, standard error %q", text, stdout.String(), stderr.String())
	}
}

// listening starts a server over HTTP and returns its URL, which is in its log.
func listening(t *testing.T, cmd *exec.Cmd, log string) (url string) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	clitest.Until(t, "it logs where it listens", func() bool {
		text, _ := os.ReadFile(log)
		m := regexp.MustCompile(`msg=listening url=(\S+)\n`).FindSubmatch(text)
		if m != nil {
			url = string(m[1])
		}
		return m != nil
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
	if text, r, failed := useTool(t, one, "get_process_output", mine); failed || r["output"] != "mine\n" {
		t.Error(text)
	}
	_, r, _ := useTool(t, many, "list_processes", nil)
	if n := len(r["processes"].([]any)); n > 2*256 {
		t.Errorf("%d processes are kept", n)
	}
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
		if last := lines[len(lines)-1]; r.Code != console.CodeUsage || r.Stdout != "" || !strings.HasPrefix(last, "procession: ") || !strings.Contains(last, test.want) {
			t.Errorf("%q: code %d, stdout %q, stderr %q; want %q", test.flags, r.Code, r.Stdout, r.Stderr, test.want)
		}
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
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	log := bufio.NewReader(stderr)
	url, warned := "", false
	for url == "" {
		line, err := log.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		warned = warned || strings.Contains(line, "chmod 600")
		if m := regexp.MustCompile(`url=(\S+)`).FindStringSubmatch(line); m != nil {
			url = m[1]
		}
	}
	if !warned {
		t.Error("no warning of a token file that others can read")
	}
	var rest sync.WaitGroup
	rest.Go(func() { io.Copy(io.Discard, log) })

	plain := &http.Transport{}
	defer plain.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(t.Context(), clitest.Patience)
	defer cancel()
	for name, r := range map[string]http.RoundTripper{"no": plain, "a wrong": bearer{plain, "Secret"}} {
		client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil)
		_, err := client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: r}, MaxRetries: -1}, nil)
		if err == nil || !strings.Contains(err.Error(), "Unauthorized") {
			t.Errorf("with %s token: %v", name, err)
		}
	}
	connect := func() *mcp.ClientSession {
		return mcpClient(t, &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: bearer{plain, "secret"}}, MaxRetries: -1})
	}
	pids := mcpTree(t, connect())
	allDead(t, pids) // because no request comes any more
	ends := connect()
	pids = mcpTree(t, ends)
	ends.Close()
	allDead(t, pids)
	pids = mcpTree(t, connect())
	cmd.Process.Signal(syscall.SIGTERM)
	rest.Wait()
	if code := clitest.Wait(t, cmd); code != 0 || stdout.Len() > 0 {
		t.Errorf("exit code %d, stdout %q", code, stdout.String())
	}
	allDead(t, pids)
}

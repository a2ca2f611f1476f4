package mcpserver

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// TestStdio drives a server in a process of its own.
func TestStdio(t *testing.T) {
	suite(t, func(t *testing.T) *client {
		engine := engineName()
		t.Cleanup(func() { testkit.NoneMarked(t, engine) })
		return connect(t, &mcp.CommandTransport{Command: helperCommand(engine), TerminateDuration: testkit.Patience})
	})
}

// TestHTTP drives a server over streamable HTTP.
func TestHTTP(t *testing.T) {
	suite(t, func(t *testing.T) *client { return connect(t, overHTTP(t, newServer(t, Options{}))) })
}

// TestEmbedded drives a server that an embedder has connected itself.
func TestEmbedded(t *testing.T) {
	here, there := mcp.NewInMemoryTransports()
	s := newServer(t, Options{})
	_, err := s.MCP().Connect(testkit.Within(t), there, nil)
	require.NoError(t, err)
	c := connect(t, here)
	testShell(t, c)
	id := c.start("exec sleep 1000")
	c.Close()
	forgotten(t, s, id) // with its session
}

func overHTTP(t testing.TB, s *Server) *mcp.StreamableClientTransport {
	h := httptest.NewServer(s.Handler(HTTPOptions{Loopback: true}))
	t.Cleanup(func() {
		s.Close()
		h.CloseClientConnections()
		h.Close()
	})
	transport := &cuttable{Transport: http.Transport{}}
	transport.ctx, transport.cut = context.WithCancel(context.Background())
	t.Cleanup(transport.CloseIdleConnections)
	t.Cleanup(transport.cut)
	return &mcp.StreamableClientTransport{Endpoint: h.URL + Path, HTTPClient: &http.Client{Transport: transport}}
}

// cuttable is a connection that can be cut: what is under way is then broken
// off, and nothing more gets through.
type cuttable struct {
	http.Transport
	ctx context.Context
	cut context.CancelFunc
}

func (c *cuttable) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancel(r.Context())
	context.AfterFunc(c.ctx, cancel)
	return c.Transport.RoundTrip(r.WithContext(ctx))
}

// suite is what every client of every transport must find.
func suite(t *testing.T, connected func(*testing.T) *client) {
	for name, test := range map[string]func(*testing.T, *client){
		"tools":            testTools,
		"shell":            testShell,
		"direct":           testDirect,
		"options of start": testStartOptions,
		"output":           testOutput,
		"cursor":           testCursor,
		"filter":           testFilter,
		"cap":              testCap,
		"clean":            testClean,
		"wait for a line":  testWaitForLine,
		"wait runs out":    testWaitRunsOut,
		"input":            testInput,
		"terminal":         testTerminal,
		"kill":             testKill,
		"release":          testRelease,
		"list and info":    testListAndInfo,
		"errors":           testErrors,
		"concurrent":       testConcurrent,
		"run":              testRun,
		"run yields":       testRunYields,
		"run, input":       testRunInput,
		"run, progress":    testRunProgress,
		"wait for output":  testWaitForOutput,
		"signal":           testSignal,
		"force":            testForce,
		"cancelled starts": testCancelledStarts,
		"cancel":           testCancel,
		"progress":         testProgress,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, connected(t))
		})
	}
}

func testTools(t *testing.T, c *client) {
	tools, err := c.ListTools(testkit.Within(t), nil)
	require.NoError(t, err)
	var got []string
	for _, tool := range tools.Tools {
		in := tool.InputSchema.(map[string]any)
		properties, ok := in["properties"].(map[string]any)
		assert.True(t, ok, "%s: its schema has no properties, which some clients refuse", tool.Name)
		var names []string
		for name, p := range properties {
			text, _ := p.(map[string]any)["description"].(string)
			assert.NotEmpty(t, text, "the description of %s of %s", name, tool.Name)
			assert.NotContains(t, text, "{", "the description of %s of %s", name, tool.Name)
			assert.NotNil(t, p.(map[string]any)["type"], "the type of %s of %s", name, tool.Name)
			if !slices.Contains(in["required"].([]any), any(name)) {
				name += "?"
			}
			names = append(names, name)
		}
		slices.Sort(names)
		a := tool.Annotations
		got = append(got, fmt.Sprintf("%s(%s) %v %v %v %v", tool.Name, strings.Join(names, ", "),
			a.ReadOnlyHint, *a.DestructiveHint, a.IdempotentHint, *a.OpenWorldHint))
		assert.NotEmpty(t, tool.Description, tool.Name)
		assert.NotContains(t, tool.Description, "{", tool.Name)
		assert.NotNil(t, tool.OutputSchema, tool.Name)
	}
	want := []string{ // read-only, destructive, idempotent, open-world
		"get_process_info(process_id) true false true false",
		"get_process_output(context_lines?, cursor?, filter_lines?, max_bytes?, process_id, wait_seconds?) true false true false",
		"kill_process(force?, process_id) false true true false",
		"list_processes() true false true false",
		"release_process(process_id) false true true false",
		"run_command(args?, command, cwd?, env?, input?, labels?, max_bytes?, name?, output_limit?, pty?, stdin?, stop_signal?, timeout_seconds?, yield_seconds?) false true false true",
		"send_input(close?, data, process_id) false true false true",
		"signal_process(process_id, scope?, signal) false true false true",
		"start_process(args?, command, cwd?, env?, labels?, name?, output_limit?, pty?, stdin?, stop_signal?, timeout_seconds?) false true false true",
		"wait_for_output(cursor?, pattern, process_id, timeout_seconds?) true false true false",
		"wait_for_process(context_lines?, filter_lines?, process_id, timeout_seconds?) true false true false",
	}
	slices.Sort(got)
	assert.Equal(t, want, got)
	assert.Contains(t, c.InitializeResult().Instructions, "wait_for_process", "the server says how to use it")
}

func testShell(t *testing.T, c *client) {
	for _, args := range []any{"absent", []string{}, nil} {
		in := arguments{"command": "echo a | tr a b; exit 3", "args": args}
		if args == "absent" {
			delete(in, "args")
		}
		text, started := c.do("start_process", in)
		assert.Len(t, started, 4)
		assert.Greater(t, started["pid"], 1.0)
		expect(t, started, arguments{"command": "echo a | tr a b; exit 3"})
		id := started["process_id"].(string)
		assert.Contains(t, text, id)
		expect(t, c.wait(id), arguments{"process_id": id, "output": "b\n", "stdout": "b\n", "stderr": "",
			"exit_code": 3, "signal": nil, "state": "exited", "truncated": false, "dropped": 0, "next_cursor": 2})
	}
}

func testDirect(t *testing.T, c *client) {
	_, started := c.do("start_process", arguments{"command": "printf", "args": []string{"%s|", "a b", "$HOME", "it's"}})
	expect(t, started, arguments{"command": `printf '%s|' 'a b' '$HOME' 'it'\''s'`})
	expect(t, c.wait(started["process_id"].(string)), arguments{"output": "a b|$HOME|it's|", "exit_code": 0})
}

func testStartOptions(t *testing.T, c *client) {
	dir := t.TempDir()
	id := c.start(`pwd -P; echo "$COLOUR"; cat`, arguments{"cwd": dir, "env": arguments{"COLOUR": "blue"}})
	real, _ := os.Readlink(dir)
	if real == "" {
		real = dir
	}
	expect(t, c.wait(id), arguments{"output": real + "\nblue\n", "exit_code": 0}) // cat: stdin is empty

	id = c.start("sleep 1000", arguments{"timeout_seconds": 0.05})
	expect(t, c.wait(id), arguments{"exit_code": nil, "signal": "SIGTERM"})
	_, info := c.do("get_process_info", arguments{"process_id": id})
	expect(t, info, arguments{"cause": "timeout"})

	id = c.start("trap 'exit 4' INT; sleep 1000 & wait", arguments{"timeout_seconds": 1, "stop_signal": "int"})
	expect(t, c.wait(id), arguments{"exit_code": 4})

	id = c.start("seq 1000", arguments{"output_limit": 100})
	r := c.wait(id)
	expect(t, r, arguments{"truncated": true, "next_cursor": 3893})
	out := r["output"].(string)
	assert.LessOrEqual(t, len(out), 100)
	assert.True(t, strings.HasSuffix(out, "999\n1000\n"), "%q", out)
	expect(t, r, arguments{"dropped": 3893 - len(out)})
}

func testOutput(t *testing.T, c *client) {
	id := c.start("echo out; read a; echo err >&2; read b; echo out again; kill -KILL $$", arguments{"stdin": true})
	for _, line := range []string{"^out$", "^err$"} {
		c.await(id, line)
		c.do("send_input", arguments{"process_id": id, "data": "\n"})
	}
	expect(t, c.wait(id), arguments{"output": "out\nerr\nout again\n", "stdout": "out\nout again\n", "stderr": "err\n",
		"exit_code": nil, "signal": "SIGKILL", "state": "exited"})
}

func testCursor(t *testing.T, c *client) {
	id := c.start("echo one; read a; echo two; read b", arguments{"stdin": true})
	c.await(id, "one")
	text, r := c.do("get_process_output", arguments{"process_id": id})
	expect(t, r, arguments{"output": "one\n", "next_cursor": 4, "state": "running", "exit_code": nil, "signal": nil})
	assert.Contains(t, text, "one\n")
	assert.Contains(t, text, "next_cursor: 4")
	_, r = c.do("get_process_output", arguments{"process_id": id, "cursor": 4})
	expect(t, r, arguments{"output": "", "next_cursor": 4, "dropped": 0})
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	_, r = c.do("get_process_output", arguments{"process_id": id, "cursor": 4, "wait_seconds": 30})
	expect(t, r, arguments{"output": "two\n", "next_cursor": 8})
}

func testFilter(t *testing.T, c *client) {
	id := c.start("seq 20; read a; echo oops >&2", arguments{"stdin": true})
	c.await(id, "20")
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	c.wait(id)
	_, r := c.do("get_process_output", arguments{"process_id": id, "filter_lines": "^1.$|oo"})
	want := "10\n11\n12\n13\n14\n15\n16\n17\n18\n19\n"
	expect(t, r, arguments{"output": want + "oops\n", "stdout": want, "stderr": "oops\n", "dropped": 0})
	_, r = c.do("wait_for_process", arguments{"process_id": id, "filter_lines": "7"})
	expect(t, r, arguments{"output": "7\n17\n", "exit_code": 0})
	text, r := c.do("get_process_output", arguments{"process_id": id, "filter_lines": "no such line"})
	expect(t, r, arguments{"output": "", "state": "exited"})
	assert.Contains(t, text, "no line matches")
}

func testCap(t *testing.T, c *client) {
	id := c.start("seq 20000") // 108,894 bytes
	_, r := c.do("wait_for_process", arguments{"process_id": id})
	check := func(limit int) {
		t.Helper()
		out := r["output"].(string)
		assert.LessOrEqual(t, len(out), limit)
		assert.GreaterOrEqual(t, len(out), limit-10)
		assert.True(t, strings.HasSuffix(out, "\n20000\n"), "it ends in %q", out[max(0, len(out)-20):])
		first, _, _ := strings.Cut(out, "\n")
		assert.Len(t, first, 5, "it begins in the middle of a line")
		expect(t, r, arguments{"truncated": true, "dropped": 108894 - len(out), "next_cursor": 108894})
		assert.NotContains(t, out, "left out", "what was left out is not said inside output")
	}
	check(32 << 10)
	text, r := c.do("get_process_output", arguments{"process_id": id, "max_bytes": 1000})
	check(1000)
	assert.Contains(t, text, fmt.Sprintf("%v bytes of earlier output are left out", r["dropped"]))
	_, r = c.do("get_process_output", arguments{"process_id": id, "filter_lines": "^1.{4}$", "max_bytes": 60})
	expect(t, r, arguments{"output": "19990\n19991\n19992\n19993\n19994\n19995\n19996\n19997\n19998\n19999\n"})

	id = c.start("printf äöüäöü")
	c.wait(id)
	_, r = c.do("get_process_output", arguments{"process_id": id, "max_bytes": 5})
	expect(t, r, arguments{"output": "öü", "dropped": 8})
}

func testClean(t *testing.T, c *client) {
	id := c.start(`printf '\033[31mred\033[0m\n 10%%\r 55%%\r100%%\n\377\n'`)
	expect(t, c.wait(id), arguments{"output": "red\n100%\n\uFFFD\n", "stdout": "red\n100%\n\uFFFD\n"})
	id = c.start(`printf '\033]0;title\nERROR\n'; printf '\033P1$ %05000d\n' 7`)
	expect(t, c.wait(id), arguments{"output": "]0;title\nERROR\nP1$ " + strings.Repeat("0", 4999) + "7\n"})
}

func testInput(t *testing.T, c *client) {
	id := c.start("cat; echo end", arguments{"stdin": true})
	_, r := c.do("send_input", arguments{"process_id": id, "data": "grüße\n"})
	expect(t, r, arguments{"process_id": id, "written": 8, "closed": false})
	c.await(id, "grüße")
	_, r = c.do("send_input", arguments{"process_id": id, "data": "x", "close": true})
	expect(t, r, arguments{"written": 1, "closed": true})
	expect(t, c.wait(id), arguments{"output": "grüße\nxend\n"})
	c.fail("send_input", arguments{"process_id": id, "data": "late"}, id)
}

func testTerminal(t *testing.T, c *client) {
	id := c.start(`test -t 0 && test -t 1 && stty size; read a; echo "got $a"`, arguments{"pty": true})
	c.await(id, "^24 80$")
	c.do("send_input", arguments{"process_id": id, "data": "x\n"})
	r := c.wait(id)
	expect(t, r, arguments{"exit_code": 0, "stderr": ""})
	assert.True(t, strings.HasSuffix(r["output"].(string), "got x\n"), "%q", r["output"])
}

func testKill(t *testing.T, c *client) {
	id := c.start("echo up; sleep 1000 & wait")
	c.await(id, "up")
	_, r := c.do("kill_process", arguments{"process_id": id})
	expect(t, r, arguments{"process_id": id, "state": "exited", "exit_code": nil, "signal": "SIGTERM"})
	_, again := c.do("kill_process", arguments{"process_id": id})
	expect(t, again, r)
	_, r = c.do("get_process_output", arguments{"process_id": id})
	expect(t, r, arguments{"output": "up\n", "state": "exited", "signal": "SIGTERM", "exit_code": nil})
	id = c.start("trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.01; done")
	c.await(id, "up")
	_, r = c.do("kill_process", arguments{"process_id": id})
	expect(t, r, arguments{"exit_code": 5, "signal": nil})
}

func testRelease(t *testing.T, c *client) {
	id := c.start("sleep 1000")
	_, r := c.do("release_process", arguments{"process_id": id})
	expect(t, r, arguments{"process_id": id, "released": true})
	c.fail("release_process", arguments{"process_id": id}, id, "there are none", "start_process")
	_, r = c.do("list_processes", nil)
	expect(t, r, arguments{"processes": []any{}})
}

func testListAndInfo(t *testing.T, c *client) {
	text, r := c.do("list_processes", nil)
	expect(t, r, arguments{"processes": []any{}})
	assert.Contains(t, text, "no processes")
	first := c.start("exit 4", arguments{"name": "build", "labels": arguments{"agent": "a1"}})
	c.wait(first)
	second := c.start("exec sleep 1000", arguments{"cwd": "/"})
	text, r = c.do("list_processes", nil)
	list := r["processes"].([]any)
	require.Len(t, list, 2)
	one, two := list[0].(map[string]any), list[1].(map[string]any)
	expect(t, one, arguments{"process_id": first, "command": "exit 4", "state": "exited", "exit_code": 4, "signal": nil, "name": "build"})
	expect(t, two, arguments{"process_id": second, "command": "exec sleep 1000", "state": "running", "exit_code": nil, "signal": nil})
	assert.Equal(t, map[string]any{"agent": "a1"}, one["labels"])
	for _, want := range []string{first, second, "exit status 4", "build", "sleep 1000"} {
		assert.Contains(t, text, want)
	}
	_, r = c.do("get_process_info", arguments{"process_id": first})
	expect(t, r, arguments{"process_id": first, "state": "exited", "exit_code": 4, "cause": "exited", "output_limit": 1 << 20})
	_, r = c.do("get_process_info", arguments{"process_id": second})
	expect(t, r, arguments{"state": "running", "cwd": "/", "ended_at": nil, "cause": nil, "cpu_seconds": nil})
}

func testErrors(t *testing.T, c *client) {
	id := c.start("exec sleep 1000")
	for _, tool := range []string{"get_process_output", "wait_for_process", "kill_process", "release_process", "get_process_info", "send_input"} {
		in := arguments{"process_id": "proc_000000000000"}
		if tool == "send_input" {
			in["data"] = "x"
		}
		c.fail(tool, in, `no process "proc_000000000000"`, id+" (running: exec sleep 1000)")
		c.fail(tool, arguments{}, "process_id")
	}
	with := func(more arguments) arguments {
		in := arguments{"process_id": id}
		for k, v := range more {
			in[k] = v
		}
		return in
	}
	for _, tool := range []string{"get_process_output", "wait_for_process"} {
		c.fail(tool, with(arguments{"filter_lines": "a(b"}), "missing closing ): `a(b`", "RE2")
	}
	c.fail("get_process_output", with(arguments{"cursor": 5}), "cursor 5", "beyond the end")
	c.fail("get_process_output", with(arguments{"cursor": -1}), "negative")
	c.fail("get_process_output", with(arguments{"cursor": 1e30}), "cursor is 1e+30", "smaller")
	c.fail("get_process_output", with(arguments{"max_bytes": -1}), "max_bytes")
	c.fail("get_process_output", with(arguments{"wait_seconds": -1}), "wait_seconds")
	c.fail("get_process_output", with(arguments{"wait_seconds": "soon"}), "wait_seconds")
	c.fail("wait_for_process", with(arguments{"timeout_seconds": -1}), "timeout_seconds")
	c.fail("send_input", with(arguments{"data": "x"}), "standard input", "stdin", "true")
	c.fail("send_input", with(arguments{"data": ""}), "nothing to send")

	c.fail("start_process", arguments{}, "command")
	c.fail("start_process", arguments{"command": " "}, "command is empty")
	c.fail("start_process", arguments{"command": "no-such-program", "args": []string{"x"}}, "no-such-program", "not found")
	c.fail("start_process", arguments{"command": "npm run", "args": []string{"dev"}}, "command is the program alone")
	c.fail("start_process", arguments{"command": "/etc/passwd", "args": []string{"x"}}, "permission denied")
	c.fail("start_process", arguments{"command": "true", "cwd": "/no/such/directory"}, "/no/such/directory", "no such file")
	c.fail("start_process", arguments{"command": "true", "cwd": "/dev/null"}, "not a directory")
	c.fail("start_process", arguments{"command": "true", "timeout_seconds": -1}, "timeout_seconds")
	c.fail("start_process", arguments{"command": "true", "output_limit": -2}, "output_limit")
	c.fail("start_process", arguments{"command": "true", "stop_signal": "SIGNOPE"}, "stop_signal", "SIGNOPE")
	c.fail("start_process", arguments{"command": "true", "env": arguments{"A=B": "c"}}, "A=B")
	c.fail("start_process", arguments{"command": "true", "labels": arguments{SessionLabel: "other"}}, SessionLabel)
	c.fail("start_process", arguments{"command": "true", "directory": "/"}, "directory")
	c.fail("start_process", arguments{"command": 5}, "command is 5", "string")
	c.fail("start_process", arguments{"command": "true", "env": arguments{"A": nil}}, `env["A"] is null`, "string")
	c.fail("start_process", arguments{"command": "true", "args": []any{nil}}, "args[0] is null", "string")
	_, err := c.CallTool(testkit.Within(t), &mcp.CallToolParams{Name: "no_such_tool"})
	assert.ErrorContains(t, err, "no_such_tool")
	stuck := c.start("exec sleep 1000", arguments{"stdin": true})
	c.fail("send_input", arguments{"process_id": stuck, "data": strings.Repeat("x", 80_000)}, "does not read its input", "of 80000 bytes")
	_, r := c.do("get_process_info", arguments{"process_id": id})
	expect(t, r, arguments{"state": "running"})
}

func testConcurrent(t *testing.T, c *client) {
	const n = 50
	ids := make([]string, n)
	var starts sync.WaitGroup
	for i := range n {
		starts.Go(func() {
			if _, r, ok := c.succeed("start_process", arguments{"command": fmt.Sprintf("read a; echo %d", i), "stdin": true}); ok {
				ids[i] = r["process_id"].(string)
			}
		})
	}
	starts.Wait()
	require.NotContains(t, ids, "", "not all were started")
	results := make([]map[string]any, n)
	var waits sync.WaitGroup
	for i, id := range ids {
		waits.Go(func() { _, results[i], _ = c.try("wait_for_process", arguments{"process_id": id}) })
	}
	for _, id := range ids { // which the waits do not hold up
		c.do("send_input", arguments{"process_id": id, "data": "\n"})
	}
	waits.Wait()
	for i, r := range results {
		expect(t, r, arguments{"output": fmt.Sprintf("%d\n", i), "exit_code": 0})
	}
}

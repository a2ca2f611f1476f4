package mcpserver

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

func testRun(t *testing.T, c *client) {
	dir := t.TempDir()
	text, r := c.do("run_command", arguments{"command": `pwd -P; echo "$COLOUR" >&2; exit 3`, "cwd": dir, "env": arguments{"COLOUR": "blue"}, "name": "it"})
	expect(t, r, arguments{"output": dir + "\nblue\n", "stdout": dir + "\n", "stderr": "blue\n", "exit_code": 3, "signal": nil,
		"state": "exited", "truncated": false, "dropped": 0, "output_cut": false, "next_cursor": len(dir) + 6})
	id := r["process_id"].(string)
	assert.Greater(t, r["pid"], 1.0)
	assert.Contains(t, text, id+" has exited, exit status 3: pwd")
	expect(t, c.wait(id), arguments{"exit_code": 3, "stderr": "blue\n"}) // it is kept
	_, info := c.do("get_process_info", arguments{"process_id": id})
	expect(t, info, arguments{"name": "it"})
	assert.Empty(t, info["labels"])

	_, r = c.do("run_command", arguments{"command": "printf", "args": []string{"%s|", "a b", "$HOME"}})
	expect(t, r, arguments{"output": "a b|$HOME|", "exit_code": 0})
	_, r = c.do("run_command", arguments{"command": "kill -KILL $$"})
	expect(t, r, arguments{"exit_code": nil, "signal": "SIGKILL"})
	_, r = c.do("run_command", arguments{"command": "exec sleep 1000", "timeout_seconds": 0.05})
	expect(t, r, arguments{"exit_code": nil, "signal": "SIGTERM", "state": "exited"})
	_, r = c.do("run_command", arguments{"command": "seq 20000", "max_bytes": 1000})
	assert.True(t, strings.HasSuffix(r["output"].(string), "\n20000\n"), "%q", r["output"])
	assert.LessOrEqual(t, len(r["output"].(string)), 1000)
	expect(t, r, arguments{"truncated": true, "next_cursor": 108894})
	_, r = c.do("run_command", arguments{"command": "seq 1000", "output_limit": 100})
	expect(t, r, arguments{"truncated": true, "next_cursor": 3893})

	for name, in := range map[string]arguments{
		"command is empty": {"command": " "}, "yield_seconds": {"command": "true", "yield_seconds": -1}, "max_bytes": {"command": "true", "max_bytes": -1},
		"not found": {"command": "no-such-program", "args": []string{"x"}}, "stop_signal": {"command": "true", "stop_signal": "SIGNOPE"},
		"no such file": {"command": "true", "cwd": "/no/such/directory"}, "there is no parameter": {"command": "true", "wait": 1},
		"parameter command is missing": {}, "true or false": {"command": "true", "stdin": "true"}, SessionLabel: {"command": "true", "labels": arguments{SessionLabel: "x"}},
		startLabel: {"command": "true", "labels": arguments{startLabel: "x"}},
	} {
		c.fail("run_command", in, name)
	}
}

func testRunYields(t *testing.T, c *client) {
	begin := time.Now()
	text, r := c.do("run_command", arguments{"command": "echo one; read a; echo two; exit 4", "stdin": true, "yield_seconds": 0.3})
	assert.Less(t, time.Since(begin), testkit.Patience/2)
	id := r["process_id"].(string)
	expect(t, r, arguments{"output": "one\n", "state": "running", "exit_code": nil, "signal": nil, "next_cursor": 4})
	assert.Contains(t, text, id+" is running")
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	_, r = c.do("get_process_output", arguments{"process_id": id, "cursor": r["next_cursor"], "wait_seconds": testkit.Patience.Seconds()})
	expect(t, r, arguments{"output": "two\n"})
	expect(t, c.wait(id), arguments{"exit_code": 4})

	for _, yield := range []float64{0, 1e-10} {
		_, r = c.do("run_command", arguments{"command": "exec sleep 1000", "yield_seconds": yield})
		expect(t, r, arguments{"state": "running", "output": "", "next_cursor": 0})
		c.do("release_process", arguments{"process_id": r["process_id"]})
	}
	_, r = c.do("run_command", arguments{"command": "echo last; exit 5", "yield_seconds": 1e300})
	expect(t, r, arguments{"state": "exited", "exit_code": 5, "output": "last\n"})
}

func testRunInput(t *testing.T, c *client) {
	for name, in := range map[string]arguments{
		"input": {"command": "cat; echo end", "input": "grüße\n"}, "a string as stdin": {"command": "cat; echo end", "stdin": "grüße\n"},
		"to a program": {"command": "sh", "args": []string{"-c", "cat; echo end"}, "input": "grüße\n"},
	} {
		_, r := c.do("run_command", in)
		t.Log(name)
		expect(t, r, arguments{"output": "grüße\nend\n", "exit_code": 0})
	}
	_, r := c.do("run_command", arguments{"command": "cat; echo end", "stdin": ""})
	expect(t, r, arguments{"output": "end\n"})
	_, r = c.do("run_command", arguments{"command": "wc -c", "input": strings.Repeat("x", 90_000)})
	assert.Equal(t, "90000", strings.TrimSpace(r["output"].(string)))
	_, r = c.do("run_command", arguments{"command": "read a; echo $a", "input": "one\n" + strings.Repeat("x", 90_000)}) // it reads no more
	expect(t, r, arguments{"output": "one\n", "exit_code": 0})
	_, r = c.do("run_command", arguments{"command": "exit 3", "input": "x"})
	expect(t, r, arguments{"exit_code": 3})

	_, r = c.do("run_command", arguments{"command": "read a; echo got $a; cat", "input": "one\n", "stdin": true, "yield_seconds": 0.3})
	id := r["process_id"].(string)
	expect(t, r, arguments{"output": "got one\n", "state": "running"})
	c.do("send_input", arguments{"process_id": id, "data": "two\n", "close": true})
	expect(t, c.wait(id), arguments{"output": "got one\ntwo\n", "exit_code": 0})

	_, r = c.do("run_command", arguments{"command": `test -t 0 && read a && echo "got $a"; cat; echo end`, "pty": true, "input": "x\n"})
	expect(t, r, arguments{"exit_code": 0})
	assert.Contains(t, r["output"], "got x\n")
	assert.Contains(t, r["output"], "end\n", "end-of-file is typed, too")
	text, r := c.do("run_command", arguments{"command": "cat", "pty": true, "input": strings.Repeat("x", 5000)})
	assert.Contains(t, text, "[input: ", "what a terminal does not take is told")
	expect(t, r, arguments{"exit_code": 0, "output": ""})

	// What is sent later comes after it.
	for range 20 {
		_, r = c.do("run_command", arguments{"command": "cat", "input": strings.Repeat("x", 70_000) + "\n", "stdin": true, "yield_seconds": 0})
		id = r["process_id"].(string)
		c.do("send_input", arguments{"process_id": id, "data": "later", "close": true})
		out := c.wait(id)["output"].(string)
		assert.True(t, strings.HasSuffix(out, "x\nlater"), "%.20q…%.20q", out, out[max(0, len(out)-20):])
	}
	_, r = c.do("run_command", arguments{"command": "cat", "input": "x", "yield_seconds": 0})
	c.try("send_input", arguments{"process_id": r["process_id"], "data": "too late"})
	expect(t, c.wait(r["process_id"].(string)), arguments{"output": "x"})

	// What nobody reads holds up nothing, and is not lost.
	begin := time.Now()
	_, r = c.do("run_command", arguments{"command": "echo up; until [ -e go ]; do sleep 0.01; done; wc -c", "input": strings.Repeat("x", 90_000), "cwd": t.TempDir(), "yield_seconds": 0.2})
	assert.Less(t, time.Since(begin), testkit.Patience/2)
	expect(t, r, arguments{"output": "up\n", "state": "running"})
	_, info := c.do("get_process_info", arguments{"process_id": r["process_id"]})
	require.NoError(t, os.WriteFile(info["cwd"].(string)+"/go", nil, 0o600))
	assert.Equal(t, "up\n90000", strings.TrimSpace(c.wait(r["process_id"].(string))["output"].(string)))
}

func testRunProgress(t *testing.T, c *client) {
	params := &mcp.CallToolParams{Name: "run_command", Arguments: arguments{"command": "echo up; read a", "stdin": true}}
	params.SetProgressToken("run")
	failed := make(chan error, 1)
	go func() {
		_, err := c.CallTool(testkit.Within(t), params)
		failed <- err
	}()
	before := -1.0
	for range 2 {
		p := <-c.progress
		assertProgress(t, p, "run", before, "is running")
		before = p.Progress
	}
	id := c.theOnly()
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	assert.NoError(t, <-failed)
}

// theOnly is the ID of the only process there is.
func (c *client) theOnly() string {
	c.t.Helper()
	_, r := c.do("list_processes", nil)
	ids := idsOf(r)
	require.Len(c.t, ids, 1)
	return ids[0]
}

// A call that is cancelled before its answer leaves no process.
func testCancelledStarts(t *testing.T, c *client) {
	for name, in := range map[string]arguments{
		"run_command":                {"command": "sleep 1000 & exec sleep 1000"},
		"run_command, with input":    {"command": "sleep 1000 & exec sleep 1000", "input": strings.Repeat("x", 90_000)},
		"run_command, on a terminal": {"command": "sleep 1000 & exec sleep 1000", "pty": true},
	} {
		ctx, cancel := context.WithCancel(testkit.Within(t))
		params := &mcp.CallToolParams{Name: "run_command", Arguments: in}
		params.SetProgressToken(name)
		failed := make(chan error, 1)
		go func() {
			_, err := c.CallTool(ctx, params)
			failed <- err
		}()
		for p := range c.progress { // it waits
			if p.ProgressToken == name {
				break
			}
		}
		cancel()
		assert.Error(t, <-failed, name)
		testkit.Eventually(t, func(collect *assert.CollectT) {
			_, r, ok := c.succeed("list_processes", nil)
			if assert.True(collect, ok) {
				assert.Empty(collect, r["processes"], name)
			}
		})
	}
}

// TestRunIsBound: what holds for start_process does for run_command.
func TestRunIsBound(t *testing.T) {
	root := t.TempDir()
	s := newServer(t, Options{Root: root, Allow: []string{"echo", "sleep", "pwd"}, MaxOutput: 1000, Retention: 2})
	c := connect(t, overHTTP(t, s))
	for name, in := range map[string]arguments{
		"it runs only": {"command": "echo hi"}, "does not run": {"command": "cat", "args": []string{"x"}}, "output_limit": {"command": "echo", "args": []string{"x"}, "output_limit": 1001},
		"is outside of": {"command": "echo", "args": []string{"x"}, "cwd": "/"},
	} {
		c.fail("run_command", in, name)
	}
	_, r := c.do("run_command", arguments{"command": "pwd", "args": []string{"-P"}})
	expect(t, r, arguments{"output": root + "\n"})
	for range 4 {
		c.do("run_command", arguments{"command": "echo", "args": []string{"x"}})
	}
	_, r = c.do("list_processes", nil)
	assert.LessOrEqual(t, len(r["processes"].([]any)), 3)
}

package mcpserver

import (
	"context"
	"maps"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/testkit"
)

func testWaitForLine(t *testing.T, c *client) {
	id := c.start(`read a; printf 'starting\n\033[32mready\033[0m on port '; read b; echo 1; read c`, arguments{"stdin": true})
	type answer struct {
		text   string
		result map[string]any
	}
	answers := make(chan answer, 1)
	go func() {
		text, r, _ := c.try("get_process_output", arguments{"process_id": id, "filter_lines": "^ready", "wait_seconds": 30})
		answers <- answer{text, r}
	}()
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	a := <-answers // although the line has not ended
	expect(t, a.result, arguments{"output": "ready on port ", "state": "running"})
	go func() {
		text, r, _ := c.try("get_process_output", arguments{"process_id": id, "filter_lines": "never", "wait_seconds": 30})
		answers <- answer{text, r}
	}()
	c.do("send_input", arguments{"process_id": id, "data": "\n\n"})
	a = <-answers // because the process has ended
	expect(t, a.result, arguments{"output": "", "state": "exited"})
}

func testWaitRunsOut(t *testing.T, c *client) {
	id := c.start("echo here; exec sleep 1000")
	c.await(id, "here")
	for _, timeout := range []float64{0, 0.05} {
		text, r := c.do("wait_for_process", arguments{"process_id": id, "timeout_seconds": timeout})
		expect(t, r, arguments{"state": "running", "exit_code": nil, "signal": nil, "output": "here\n"})
		assert.Contains(t, text, "is running")
	}
	_, r := c.do("get_process_output", arguments{"process_id": id, "filter_lines": "gone", "wait_seconds": 0.05})
	expect(t, r, arguments{"state": "running", "output": "", "next_cursor": 5})
}

// waits are the tools that wait, as calls that wait for the end of "read a; echo
// done".
var waits = map[string]arguments{
	"wait_for_process":   {"timeout_seconds": 30},
	"get_process_output": {"filter_lines": "done", "wait_seconds": 30},
	"wait_for_output":    {"pattern": "done"},
}

// waiting starts a process and calls a tool that waits for it. The answer comes
// when it is sent a line.
func (c *client) waiting(ctx context.Context, tool string) (id string, failed chan error) {
	c.t.Helper()
	id = c.start("read a; echo done", arguments{"stdin": true})
	in := arguments{"process_id": id}
	maps.Copy(in, waits[tool])
	params := &mcp.CallToolParams{Name: tool, Arguments: in}
	params.SetProgressToken(tool)
	failed = make(chan error, 1)
	go func() {
		_, err := c.CallTool(ctx, params)
		failed <- err
	}()
	return id, failed
}

func testCancel(t *testing.T, c *client) {
	for tool := range waits {
		ctx, cancel := context.WithCancel(testkit.Within(t))
		id, failed := c.waiting(ctx, tool)
		for p := range c.progress { // it waits
			if p.ProgressToken == tool {
				break
			}
		}
		cancel()
		assert.Error(t, <-failed, "%s: a cancelled call succeeds", tool)
		_, r := c.do("get_process_info", arguments{"process_id": id})
		expect(t, r, arguments{"state": "running"})
		c.do("send_input", arguments{"process_id": id, "data": "\n"})
		expect(t, c.wait(id), arguments{"output": "done\n"})
	}
}

func testProgress(t *testing.T, c *client) {
	for tool := range waits {
		id, failed := c.waiting(testkit.Within(t), tool)
		before := -1.0
		for range 2 {
			p := <-c.progress
			assertProgress(t, p, tool, before, id+" is running")
			before = p.Progress
		}
		c.do("send_input", arguments{"process_id": id, "data": "\n"})
		assert.NoError(t, <-failed)
		c.wait(id) // for which nobody asked to be told
		c.drained(tool)
	}
}

// assertProgress asserts that a call tells of more progress than before, of the 30 seconds that
// it waits.
func assertProgress(t testing.TB, p *mcp.ProgressNotificationParams, token any, before float64, message string) {
	t.Helper()
	assert.Equal(t, token, p.ProgressToken)
	assert.Greater(t, p.Progress, before)
	assert.Equal(t, 30.0, p.Total)
	assert.Contains(t, p.Message, message)
}

// drained takes the progress that has come, which must be of that call only.
func (c *client) drained(tool string) {
	for {
		select {
		case p := <-c.progress:
			assert.Equal(c.t, tool, p.ProgressToken, "progress that nobody asked for: %+v", p)
		default:
			return
		}
	}
}

package mcpserver

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/testkit"
)

// awaitLine calls wait_for_output.
func (c *client) awaitLine(id, pattern string, cursor any) (text string, result map[string]any) {
	c.t.Helper()
	in := arguments{"process_id": id, "pattern": pattern, "timeout_seconds": testkit.Patience.Seconds()}
	if cursor != nil {
		in["cursor"] = cursor
	}
	return c.do("wait_for_output", in)
}

func testWaitForOutput(t *testing.T, c *client) {
	id := c.start(`printf 'start\nx1 \033[1mone\033[0m\ny\nx2\nx3'; read a; echo; echo x4; read a; exit 3`, arguments{"stdin": true})
	text, r := c.awaitLine(id, "^x", nil)
	expect(t, r, arguments{"process_id": id, "matched": true, "line": "x1 one", "output": "start\nx1 one\n", "state": "running",
		"exit_code": nil, "signal": nil, "truncated": false, "dropped": 0, "output_cut": false, "next_cursor": 21})
	assert.Contains(t, text, "x1 one\n")
	assert.Contains(t, text, "[matched: x1 one]")
	_, r = c.awaitLine(id, "^x", r["next_cursor"]) // of the same burst
	expect(t, r, arguments{"matched": true, "line": "x2", "output": "y\nx2\n", "next_cursor": 26})
	_, r = c.awaitLine(id, "^x", r["next_cursor"])
	expect(t, r, arguments{"matched": true, "line": "x3", "output": "x3", "next_cursor": 28}) // it has not ended
	_, quick := c.do("wait_for_output", arguments{"process_id": id, "pattern": "^z", "cursor": 24, "timeout_seconds": 0.05})
	expect(t, quick, arguments{"matched": false, "line": "", "output": "2\nx3", "state": "running", "next_cursor": 26})
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	_, r = c.awaitLine(id, "^x", r["next_cursor"])
	expect(t, r, arguments{"matched": true, "line": "x4", "output": "\nx4\n"})
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	text, r = c.awaitLine(id, "^x", r["next_cursor"]) // which its end ends
	expect(t, r, arguments{"matched": false, "line": "", "output": "", "state": "exited", "exit_code": 3})
	assert.Contains(t, text, `[no line matches "^x"]`)
	_, r = c.awaitLine(id, "^x", nil)
	expect(t, r, arguments{"matched": true, "line": "x1 one", "state": "exited", "exit_code": 3})

	with := func(more arguments) arguments {
		in := arguments{"process_id": id, "pattern": "x"}
		for name, value := range more {
			in[name] = value
		}
		return in
	}
	c.fail("wait_for_output", with(arguments{"pattern": "a(b"}), "pattern", "missing closing ): `a(b`", "RE2")
	c.fail("wait_for_output", with(arguments{"cursor": 5000}), "cursor 5000", "beyond the end")
	c.fail("wait_for_output", with(arguments{"cursor": -1}), "negative")
	c.fail("wait_for_output", with(arguments{"timeout_seconds": -1}), "timeout_seconds")
	c.fail("wait_for_output", arguments{"process_id": id}, "pattern")
	c.fail("wait_for_output", arguments{"process_id": "proc_000000000000", "pattern": "x"}, "no process", id)
}

// TestWaitForOutputWhereverItIs: in each of the views, and whatever comes at the same time.
func TestWaitForOutputWhereverItIs(t *testing.T) {
	testkit.Needs(t, "yes")
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	for name, test := range map[string]struct {
		line, pattern string
		want          arguments
	}{
		"in one stream":              {`printf 'warn: ' >&2; read a; echo ready`, "^ready", arguments{"line": "ready", "output": "warn: ready\n"}},
		"in both":                    {`printf 'warn: ' >&2; read a; echo ready`, "^warn: ready", arguments{"line": "warn: ready"}},
		"a prompt":                   {`read a; printf 'ready> '; read a`, "> $", arguments{"line": "ready> ", "output": "ready> "}},
		"a prompt in a flood":        {`read a; printf 'ready> '; while :; do echo log >&2; sleep 0.004; done`, "^ready> $", arguments{"line": "ready> ", "next_cursor": 7}},
		"a line that is redrawn":     {`read a; for i in 1 2 3; do printf '\r%s0%%' $i; done; echo; read a`, "30%", arguments{"line": "30%", "output": "30%\n"}},
		"no part of a longer line":   {`read a; yes 'ready or not' | head -c 2000000; echo; echo ready`, "^ready$", arguments{"line": "ready"}},
		"behind a lot of output":     {`yes | head -c 900000; read a; echo ready; read a`, "ready", arguments{"line": "ready", "truncated": true}},
		"the end of what is no line": {`read a; printf ready`, "ready", arguments{"line": "ready"}},
	} {
		t.Run(name, func(t *testing.T) {
			id := c.start("echo up; "+test.line, arguments{"stdin": true})
			_, up := c.awaitLine(id, "^up$", nil)
			expect(t, up, arguments{"line": "up", "next_cursor": 3})
			if strings.HasPrefix(test.line, "printf 'warn") {
				c.awaitLine(id, "^warn", nil)
			}
			c.do("send_input", arguments{"process_id": id, "data": "\n"})
			_, r := c.awaitLine(id, test.pattern, nil)
			test.want["matched"] = true
			if next, ok := test.want["next_cursor"].(int); ok {
				test.want["next_cursor"] = next + 3
			}
			if out, ok := test.want["output"].(string); ok {
				test.want["output"] = "up\n" + out
			}
			expect(t, r, test.want)
			c.do("kill_process", arguments{"process_id": id, "force": true})
		})
	}
}

// TestWaitForOutputEachOfABurst: each of many lines that come at once is found once.
func TestWaitForOutputEachOfABurst(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	for name, more := range map[string]arguments{"a pipe": {}, "a terminal": {"pty": true}} {
		id := c.start("seq 100", more)
		var cursor any
		for i := 1; i <= 10; i++ {
			_, r := c.awaitLine(id, "0$", cursor)
			expect(t, r, arguments{"matched": true, "line": fmt.Sprint(i * 10)})
			cursor = r["next_cursor"]
		}
		_, r := c.awaitLine(id, "0$", cursor)
		expect(t, r, arguments{"matched": false, "state": "exited"})
		t.Log(name)
	}
}

// TestWaitForOutputThatIsGone: what is no longer retained is counted, and is no line.
func TestWaitForOutputThatIsGone(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start("seq 1000; read a", arguments{"output_limit": 100, "stdin": true}) // 3,893 bytes
	_, r := c.awaitLine(id, "^1000$", nil)
	expect(t, r, arguments{"matched": true, "line": "1000", "next_cursor": 3893, "truncated": true})
	assert.Equal(t, float64(3893-len(r["output"].(string))), r["dropped"])
	_, r = c.do("wait_for_output", arguments{"process_id": id, "pattern": "^1$", "timeout_seconds": 0})
	expect(t, r, arguments{"matched": false, "state": "running", "next_cursor": 3893})
}

// TestWaitForOutputInTime: the time is kept, though all that there was is looked at.
func TestWaitForOutputInTime(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	long := c.start("yes | head -c 900000; echo; echo ready; read a", arguments{"stdin": true})
	c.awaitLine(long, "ready", nil)
	_, r := c.do("wait_for_output", arguments{"process_id": long, "pattern": "ready", "timeout_seconds": 0})
	expect(t, r, arguments{"matched": true, "line": "ready"})
	for name, line := range map[string]string{"a flood": "yes", "a flood without a line": `yes | tr -d '\n'`, "silence": "exec sleep 1000"} {
		id := c.start(line)
		begin := time.Now()
		_, r = c.do("wait_for_output", arguments{"process_id": id, "pattern": "no such line", "timeout_seconds": 0.3})
		expect(t, r, arguments{"matched": false, "state": "running"})
		took := time.Since(begin)
		assert.GreaterOrEqual(t, took, 300*time.Millisecond, name)
		assert.Less(t, took, testkit.Patience/2, name)
		c.do("kill_process", arguments{"process_id": id, "force": true})
	}
}

// TestALongLineIsShortened: what is shown of a line is no more than of the output.
func TestALongLineIsShortened(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{TextLimit: 1000})))
	id := c.start("yes é | head -n 3000 | tr -d '\\n'; echo ready")
	text, r := c.awaitLine(id, "ready$", nil)
	expect(t, r, arguments{"matched": true, "line": strings.Repeat("é", 500), "next_cursor": 6006})
	assert.LessOrEqual(t, len(r["output"].(string)), 1000)
	assert.Less(t, len(text), 3000)
}

package mcpserver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// readOn reads all output of a process that has ended, page by page.
func (c *client) readOn(in arguments) (output, stdout, stderr string, pages int) {
	c.t.Helper()
	in["cursor"] = 0
	for {
		_, r := c.do("get_process_output", in)
		output, stdout, stderr = output+r["output"].(string), stdout+r["stdout"].(string), stderr+r["stderr"].(string)
		pages++
		require.Equal(c.t, false, r["truncated"])
		require.Equal(c.t, 0.0, r["dropped"])
		if r["more"] == false {
			return output, stdout, stderr, pages
		}
		require.Greater(c.t, r["next_cursor"], float64(in["cursor"].(int)), "it goes on")
		in["cursor"] = int(r["next_cursor"].(float64))
	}
}

// TestPagesOfAProcess: who reads on sees everything once.
func TestPagesOfAProcess(t *testing.T) {
	testkit.Needs(t, "seq")
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	numbers := func(from, to int) string {
		var b strings.Builder
		for i := from; i <= to; i++ {
			fmt.Fprintln(&b, i)
		}
		return b.String()
	}
	for _, test := range []struct {
		name, line string
		want       string
		limits     []int
	}{
		{"lines", "seq 20000", numbers(1, 20000), []int{0, 1000, 100_000, 1 << 20}},
		{"a few bytes at a time", "seq 9 12; printf 'é漢👍 end'", "9\n10\n11\n12\né漢👍 end", []int{1, 2, 3, 4, 5, 100}},
		{"colours and a progress bar", `for i in 1 2 3; do printf '\033[32m%d\033[0m\n' $i; done; for i in 10 50 100; do printf '\r%d%%' $i; done; echo`, "1\n2\n3\n100%\n", []int{10, 11, 1000}},
		{"bytes that are no text", `printf 'a\377\342\234b\n\303'`, "a\ufffd\ufffd\ufffdb\n\ufffd", []int{1, 2, 3, 7}},
		{"nothing", ":", "", []int{1, 0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := c.start(test.line)
			c.wait(id)
			for _, limit := range test.limits {
				output, stdout, stderr, pages := c.readOn(arguments{"process_id": id, "max_bytes": limit})
				assert.Equal(t, test.want, output, "max_bytes %d", limit)
				assert.Equal(t, test.want, stdout)
				assert.Empty(t, stderr)
				if limit == 1000 && len(test.want) > 100_000 {
					assert.InDelta(t, len(test.want)/1000, pages, 3)
				}
			}
		})
	}
	id := c.start("for i in $(seq 300); do echo out $i; echo err $i >&2; done")
	c.wait(id)
	for _, limit := range []int{1, 10, 100, 5000} {
		output, stdout, stderr, _ := c.readOn(arguments{"process_id": id, "max_bytes": limit})
		assert.Len(t, output, len(stdout)+len(stderr))
		assert.Equal(t, 300, strings.Count(stdout, "out"))
		assert.Equal(t, 300, strings.Count(stderr, "err"))
		assert.Equal(t, 600, strings.Count(output, "\n"))
		output, stdout, _, _ = c.readOn(arguments{"process_id": id, "max_bytes": limit, "filter_lines": "out .*7$"})
		assert.Equal(t, 30, strings.Count(output, "\n"))
		assert.Equal(t, output, stdout)
	}
}

// TestACursorIsGivenOrLeftOut: 0 is the beginning, and null and nothing are the end.
func TestACursorIsGivenOrLeftOut(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start("seq 9")
	c.wait(id)
	text, r := c.do("get_process_output", arguments{"process_id": id, "cursor": 0, "max_bytes": 4})
	expect(t, r, arguments{"output": "1\n2\n", "next_cursor": 4, "more": true, "truncated": false, "dropped": 0})
	assert.Contains(t, text, "[next_cursor: 4, and there is more]")
	for _, in := range []arguments{{}, {"cursor": nil}} {
		in["process_id"], in["max_bytes"] = id, 4
		text, r = c.do("get_process_output", in)
		expect(t, r, arguments{"output": "8\n9\n", "next_cursor": 18, "more": false, "truncated": true, "dropped": 14})
		assert.Contains(t, text, "[next_cursor: 18]")
	}
	_, r = c.do("get_process_output", arguments{"process_id": id, "cursor": 18})
	expect(t, r, arguments{"output": "", "next_cursor": 18, "more": false, "dropped": 0})
}

// TestPagesAfterEviction: what is no longer retained is told, and the next page begins
// with what is.
func TestPagesAfterEviction(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start("seq -w 1000", arguments{"output_limit": 500}) // 5,000 bytes
	c.wait(id)
	_, r := c.do("get_process_output", arguments{"process_id": id, "cursor": 100, "max_bytes": 10})
	expect(t, r, arguments{"output": "0901\n0902\n", "dropped": 4400, "truncated": true, "more": true, "next_cursor": 4510})
	_, r = c.do("get_process_output", arguments{"process_id": id, "cursor": 4510, "max_bytes": 10})
	expect(t, r, arguments{"output": "0903\n0904\n", "dropped": 0, "truncated": false, "more": true, "next_cursor": 4520})
	_, r = c.do("get_process_output", arguments{"process_id": id, "cursor": 0, "max_bytes": 10, "filter_lines": "50$"})
	expect(t, r, arguments{"output": "0950\n", "dropped": 4500, "truncated": true, "more": false, "next_cursor": 5000})
}

// TestPagesOfOneThatRuns: what comes later is waited for, and comes once.
func TestPagesOfOneThatRuns(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id := c.start(`seq 100; printf 'ready\033[3'; read a; printf '1m!\n'; read a; echo last`, arguments{"stdin": true})
	c.await(id, "ready")
	in := arguments{"process_id": id, "cursor": 0, "max_bytes": 250, "wait_seconds": testkit.Patience.Seconds()}
	next := func(want string, more bool) {
		t.Helper()
		_, r := c.do("get_process_output", in)
		assert.True(t, strings.HasSuffix(r["output"].(string), want), "%q", r["output"])
		expect(t, r, arguments{"more": more, "truncated": false})
		in["cursor"] = r["next_cursor"]
	}
	next("\n86\n", true) // at once
	next("99\n100\nready", false)
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	next("!\n", false)
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	in["filter_lines"] = "last"
	next("last\n", false)
}

// TestContextLines of a process, in all three texts, and as it goes on.
func TestContextLines(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	id, other := c.start("seq 30; printf 31"), c.start("seq 101 130 >&2; printf 131 >&2")
	c.wait(id)
	c.wait(other)
	const want = "4\n5\n6\n--\n14\n15\n16\n--\n24\n25\n26\n"
	for tool, in := range map[string]arguments{"get_process_output": {"cursor": 0}, "wait_for_process": {}} {
		in["process_id"], in["filter_lines"], in["context_lines"] = id, "^.?5$", 1
		_, r := c.do(tool, in)
		expect(t, r, arguments{"output": want, "stdout": want, "stderr": "", "next_cursor": 83})
		in["process_id"], in["filter_lines"], in["context_lines"] = other, "^130", 2
		_, r = c.do(tool, in)
		expect(t, r, arguments{"output": "128\n129\n130\n131", "stdout": "", "stderr": "128\n129\n130\n131"})
		delete(in, "filter_lines")
		c.fail(tool, in, "context_lines", "filter_lines, too")
		in["filter_lines"], in["context_lines"] = "x", 101
		c.fail(tool, in, "context_lines is 101", "from 0 to 100")
		in["context_lines"] = -1
		c.fail(tool, in, "context_lines is -1")
	}

	// What is around a match that comes later is there, but for what was shown.
	id = c.start("seq 5; read a; seq 6 9; read a; echo 10", arguments{"stdin": true})
	c.await(id, "5")
	in := arguments{"process_id": id, "cursor": 0, "filter_lines": "^(7|10)", "context_lines": 3}
	_, r := c.do("get_process_output", in)
	expect(t, r, arguments{"output": "", "more": false})
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	c.await(id, "9")
	in["cursor"] = r["next_cursor"]
	_, r = c.do("get_process_output", in)
	expect(t, r, arguments{"output": "4\n5\n6\n7\n8\n9\n", "more": false})
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	c.wait(id)
	in["cursor"] = r["next_cursor"]
	_, r = c.do("get_process_output", in)
	expect(t, r, arguments{"output": "10\n", "more": false})
}

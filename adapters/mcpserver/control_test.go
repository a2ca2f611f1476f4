package mcpserver

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
)

func testSignal(t *testing.T, c *client) {
	const line = `trap 'echo leader' USR1; sh -c 'trap "echo child" USR1; trap "exit 0" HUP; echo up; while :; do sleep 0.01; done' & trap 'wait; exit 5' HUP; echo up; while :; do wait; done`
	id := c.start(line)
	_, r := c.awaitLine(id, "^up$", nil)
	_, r = c.awaitLine(id, "^up$", r["next_cursor"])
	text, sent := c.do("signal_process", arguments{"process_id": id, "signal": "usr1", "scope": "leader"})
	expect(t, sent, arguments{"process_id": id, "signal": "SIGUSR1", "state": "running"})
	assert.Contains(t, text, "Sent SIGUSR1 to "+id)
	_, r = c.awaitLine(id, "leader|child", r["next_cursor"])
	expect(t, r, arguments{"line": "leader"})
	c.do("signal_process", arguments{"process_id": id, "signal": "10"}) // to both
	_, one := c.awaitLine(id, "leader|child", r["next_cursor"])
	_, two := c.awaitLine(id, "leader|child", one["next_cursor"])
	assert.ElementsMatch(t, []any{"leader", "child"}, []any{one["line"], two["line"]})
	_, sent = c.do("signal_process", arguments{"process_id": id, "signal": "SIGHUP", "scope": "group"})
	expect(t, sent, arguments{"signal": "SIGHUP"})
	expect(t, c.wait(id), arguments{"exit_code": 5})
	c.fail("signal_process", arguments{"process_id": id, "signal": "SIGHUP"}, id, "has ended", "exit status 5")

	id = c.start("exec sleep 1000")
	for _, wrong := range []string{"SIGNOPE", "", "0", "65", "-1", "TERM INT"} {
		c.fail("signal_process", arguments{"process_id": id, "signal": wrong}, "signal is", "SIGTERM", "SIGINT")
	}
	c.fail("signal_process", arguments{"process_id": id, "signal": "TERM", "scope": "tree"}, "scope is", "group or leader")
	c.fail("signal_process", arguments{"process_id": id}, "signal")
	c.fail("signal_process", arguments{"process_id": id, "signal": 15}, "signal is 15", "string")
	c.fail("signal_process", arguments{"process_id": "proc_000000000000", "signal": "TERM"}, "no process", id)
	c.do("signal_process", arguments{"process_id": id, "signal": "KILL"})
	expect(t, c.wait(id), arguments{"signal": "SIGKILL"})
}

func testForce(t *testing.T, c *client) {
	id := c.start(`trap '' TERM; setsid sh -c 'trap "" TERM; echo up; sleep 1000' & wait; sleep 1000`)
	c.awaitLine(id, "up", nil)
	_, r := c.do("kill_process", arguments{"process_id": id, "force": true})
	expect(t, r, arguments{"process_id": id, "state": "exited", "exit_code": nil, "signal": "SIGKILL"})
	_, again := c.do("kill_process", arguments{"process_id": id, "force": true})
	expect(t, again, r)
}

// TestForceOvertakes: it does not wait for the grace of one that is under way.
func TestForceOvertakes(t *testing.T) {
	s := newServer(t, Options{}, procession.WithGrace(time.Hour))
	c := connect(t, overHTTP(t, s))
	id := c.start(`trap '' TERM; echo up; while :; do sleep 1000; done`)
	c.awaitLine(id, "up", nil)
	gentle := make(chan map[string]any, 1)
	go func() {
		_, r, _ := c.try("kill_process", arguments{"process_id": id})
		gentle <- r
	}()
	stopping(t, s, id)
	_, r := c.do("kill_process", arguments{"process_id": id, "force": true})
	expect(t, r, arguments{"signal": "SIGKILL"})
	expect(t, <-gentle, r)
}

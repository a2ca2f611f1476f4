package mcpserver

import "testing"

// TestInputToWhatDoesNotTakeIt: it is an error, whether it is data or its end.
func TestInputToWhatDoesNotTakeIt(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	all := []arguments{{"data": "x"}, {"data": "", "close": true}, {"data": "x", "close": true}}
	fails := func(id string, all []arguments, want ...string) {
		t.Helper()
		for _, in := range all {
			in["process_id"] = id
			c.fail("send_input", in, append(want, id)...)
		}
	}
	for what, more := range map[string]arguments{"a pipe": {"stdin": true}, "a terminal": {"pty": true}, "nothing": {}} {
		id := c.start("exit 3", more)
		c.wait(id)
		t.Log(what)
		fails(id, all, "has ended", "exit status 3")
	}
	killed := c.start("exec sleep 1000", arguments{"stdin": true})
	c.do("kill_process", arguments{"process_id": killed})
	fails(killed, all, "has ended", "SIGTERM")
	fails(c.start("exec sleep 1000"), all, "without standard input", "stdin", "true")

	closed := c.start("exec sleep 1000", arguments{"stdin": true})
	for range 2 { // closing twice is no error
		_, r := c.do("send_input", arguments{"process_id": closed, "data": "", "close": true})
		expect(t, r, arguments{"written": 0, "closed": true})
	}
	fails(closed, []arguments{{"data": "x"}, {"data": "x", "close": true}}, "was closed")

	read := c.start("read a; exit 4", arguments{"stdin": true})
	_, r := c.do("send_input", arguments{"process_id": read, "data": "x\n", "close": true}) // which it may have ended on
	expect(t, r, arguments{"written": 2, "closed": true})
	expect(t, c.wait(read), arguments{"exit_code": 4})
}

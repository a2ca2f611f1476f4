package mcpserver

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

func TestEachStreamHasItsOwnFragment(t *testing.T) {
	out, err := procession.Stdout, procession.Stderr
	for _, test := range []struct {
		torn  []procession.Stream
		texts []string
		want  []string
		open  bool
	}{
		{nil, []string{"a\n", "!b\n"}, []string{"a\n", "b\n"}, false},
		{[]procession.Stream{out}, []string{"a\nb\n", "!b\n"}, []string{"b\n", "b\n"}, false},
		{[]procession.Stream{err}, []string{"a\n", "!b", "c\n", "!d\ne"}, []string{"a\n", "c\n", "e"}, false},
		{[]procession.Stream{out, err}, []string{"a\n", "!b"}, nil, true},
		{[]procession.Stream{out, err}, []string{"!b\n"}, nil, false},
		{[]procession.Stream{out}, []string{"a\r", "\nb\n"}, []string{"b\n"}, false},
		{[]procession.Stream{out}, []string{"a\r", "b\n"}, []string{"b\n"}, false},
	} {
		segments, next := pieces(100, test.texts...)
		got, open := withoutFragments(procession.Chunk{Segments: segments, Fragments: test.torn, Dropped: 1, Next: next})
		var texts []string
		for _, s := range got {
			texts = append(texts, string(s.Data))
		}
		assert.Equal(t, test.want, texts, "%q", test.texts)
		assert.Equal(t, test.open, open, "%q", test.texts)
	}
}

// TestAFragmentIsNoLine: of a line that was dropped in part, a filter does not see the rest.
func TestAFragmentIsNoLine(t *testing.T) {
	testkit.Needs(t, "seq")
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	for _, test := range []struct {
		name, line string
		limit      int
		pattern    string
		want       arguments
	}{
		{"lines", "for i in $(seq 100); do echo NOT OK; done", 73, "^OK$", arguments{"output": "", "stdout": ""}},
		{"lines, at a boundary", "for i in $(seq 2); do echo NOT OK; done", 7, "OK$", arguments{"output": "NOT OK\n"}},
		{"standard error", "for i in $(seq 100); do echo NOT OK >&2; done", 73, "^OK$", arguments{"output": "", "stderr": ""}},
		{"as a terminal ends them", `for i in $(seq 100); do printf 'NOT OK\r\n'; done`, 84, "^(OK)?$", arguments{"output": ""}},
		{"one without an end", "printf 'NOT OK'", 2, "^OK$", arguments{"output": ""}},
		{"no filter", "printf 'NOT OK'", 2, "", arguments{"output": "OK"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			id := c.start(test.line, arguments{"output_limit": test.limit})
			c.wait(id)
			for _, wait := range []float64{0, 0.1} {
				_, r := c.do("get_process_output", arguments{"process_id": id, "filter_lines": test.pattern, "wait_seconds": wait})
				expect(t, r, test.want)
			}
		})
	}

	// What goes on as a fragment is one in the next call, too.
	id := c.start("printf 'NOT OK'; read a; echo X; exec sleep 1000", arguments{"output_limit": 5, "stdin": true})
	c.do("get_process_output", arguments{"process_id": id, "filter_lines": "", "wait_seconds": testkit.Patience.Seconds()})
	in := arguments{"process_id": id, "filter_lines": "^(OK|X)$"}
	_, r := c.do("get_process_output", in)
	expect(t, r, arguments{"output": ""})
	c.do("send_input", arguments{"process_id": id, "data": "\n"})
	in["cursor"] = r["next_cursor"]
	for r["next_cursor"] != 8.0 {
		_, r = c.do("get_process_output", in)
		expect(t, r, arguments{"output": ""})
	}
}

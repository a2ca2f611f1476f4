package mcpserver

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// ask sends calls of tools all at once.
func (p *serverProcess) ask(t testingT, calls ...string) {
	t.Helper()
	p.send(t, strings.Join(calls, "\n"))
}

// toolCall is a call of a tool as a line; arguments are pairs.
func toolCall(id any, tool string, pairs ...any) string {
	in := arguments{}
	for i := 0; i < len(pairs); i += 2 {
		in[pairs[i].(string)] = pairs[i+1]
	}
	line, err := json.Marshal(arguments{"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": arguments{"name": tool, "arguments": in}})
	if err != nil {
		panic(err)
	}
	return string(line)
}

// answers reads the answers of calls with those IDs.
func (p *serverProcess) answers(t testingT, ids ...any) map[string]result {
	t.Helper()
	all, wanted := map[string]result{}, map[string]bool{}
	for _, id := range ids {
		text, err := json.Marshal(id)
		require.NoError(t, err)
		wanted[string(text)] = true
	}
	for len(all) < len(wanted) {
		m := p.next(t)
		if m.Method != "" || !wanted[string(m.ID)] {
			continue
		}
		var r result
		if m.Error != nil {
			r.IsError, r.Refusal = true, m.Error.Message
		} else {
			require.NoError(t, json.Unmarshal(m.Result, &r))
		}
		all[string(m.ID)] = r
	}
	return all
}

type result struct {
	IsError           bool
	StructuredContent map[string]any
	Content           []struct{ Text string }
	Refusal           string
}

// begun starts a process and answers its ID.
func (p *serverProcess) begun(t testing.TB, pairs ...any) string {
	t.Helper()
	p.ask(t, toolCall("start", "start_process", pairs...))
	r := p.answers(t, "start")[`"start"`]
	require.False(t, r.IsError, "%v", r)
	return r.StructuredContent["process_id"].(string)
}

// TestOrder: what is written in order, without waiting for answers, arrives in order.
func TestOrder(t *testing.T) {
	const often = 30
	p := startServer(t)
	p.initialize(t)

	t.Run("input, and its end", func(t *testing.T) {
		for range often {
			id := p.begun(t, "command", "cat", "stdin", true)
			p.ask(t, toolCall(0, "send_input", "process_id", id, "data", "0"), toolCall(1, "send_input", "process_id", id, "data", "1"),
				toolCall(2, "send_input", "process_id", id, "data", "2"), toolCall(3, "send_input", "process_id", id, "data", "end", "close", true))
			for _, r := range p.answers(t, 0, 1, 2, 3) {
				require.False(t, r.IsError, "%v", r)
			}
			p.ask(t, toolCall(4, "wait_for_process", "process_id", id))
			require.Equal(t, "012end", p.answers(t, 4)["4"].StructuredContent["output"])
		}
	})
	t.Run("much input", func(t *testing.T) {
		id := p.begun(t, "command", "cat", "stdin", true)
		var calls []string
		var ids []any
		want := ""
		for i := range 200 {
			calls, ids = append(calls, toolCall(i, "send_input", "process_id", id, "data", fmt.Sprintln(i))), append(ids, i)
			want += fmt.Sprintln(i)
		}
		p.ask(t, append(calls, toolCall("end", "send_input", "process_id", id, "data", "", "close", true))...)
		p.answers(t, append(ids, "end")...)
		p.ask(t, toolCall("wait", "wait_for_process", "process_id", id))
		require.Equal(t, want, p.answers(t, "wait")[`"wait"`].StructuredContent["output"])
	})
	t.Run("input behind the end", func(t *testing.T) {
		for range often {
			id := p.begun(t, "command", "cat", "stdin", true)
			p.ask(t, toolCall(0, "send_input", "process_id", id, "data", "all", "close", true), toolCall(1, "send_input", "process_id", id, "data", "more"))
			told := p.answers(t, 0, 1)
			require.False(t, told["0"].IsError, "%v", told)
			require.True(t, told["1"].IsError, "%v", told)
			p.ask(t, toolCall(2, "wait_for_process", "process_id", id))
			require.Equal(t, "all", p.answers(t, 2)["2"].StructuredContent["output"])
		}
	})
	t.Run("input, and then its effect", func(t *testing.T) {
		for range often {
			id := p.begun(t, "command", "read line; echo got $line; sleep 1000", "stdin", true)
			p.ask(t, toolCall(0, "send_input", "process_id", id, "data", "it\n"), toolCall(1, "get_process_output", "process_id", id, "filter_lines", "got", "wait_seconds", 30),
				toolCall(2, "get_process_info", "process_id", id))
			require.Equal(t, "got it\n", p.answers(t, 0, 1, 2)["1"].StructuredContent["output"])
			p.ask(t, toolCall(3, "kill_process", "process_id", id), toolCall(4, "release_process", "process_id", id), toolCall(5, "get_process_info", "process_id", id))
			told := p.answers(t, 3, 4, 5)
			require.False(t, told["3"].IsError, "%v", told)
			require.False(t, told["4"].IsError, "%v", told)
		}
	})
	t.Run("a kill behind input that nobody reads", func(t *testing.T) {
		for _, call := range []struct {
			tool string
			more []any
		}{{"kill_process", nil}, {"kill_process", []any{"force", true}}, {"release_process", nil}, {"signal_process", []any{"signal", "KILL"}}, {"get_process_output", nil}} {
			id := p.begun(t, "command", "exec sleep 1000", "stdin", true)
			calls, begun := []string{}, time.Now()
			for i := range 20 {
				calls = append(calls, toolCall(i, "send_input", "process_id", id, "data", strings.Repeat("x", 50_000)))
			}
			p.ask(t, append(calls, toolCall("end", call.tool, append([]any{"process_id", id}, call.more...)...))...)
			p.answer(t, `"end"`)
			require.Less(t, time.Since(begun), 10*inputPatience, call.tool)
		}
	})
	t.Run("what is behind a release", func(t *testing.T) {
		for i := range often {
			id := p.begun(t, "command", []string{"exec sleep 1000", "exit 3"}[i%2])
			if i%2 == 1 {
				p.ask(t, toolCall("ended", "wait_for_process", "process_id", id))
				p.answers(t, "ended")
			}
			p.ask(t, toolCall(0, "release_process", "process_id", id), toolCall(1, "get_process_output", "process_id", id),
				toolCall(2, "release_process", "process_id", id), toolCall(3, "get_process_info", "process_id", id))
			told := p.answers(t, 0, 1, 2, 3)
			require.False(t, told["0"].IsError, "%v", told)
			for _, behind := range []string{"1", "2", "3"} {
				require.True(t, told[behind].IsError, "%s: %v", behind, told)
			}
		}
	})
	t.Run("others stay concurrent", func(t *testing.T) {
		busy, idle := p.begun(t, "command", "sleep 1000"), p.begun(t, "command", "cat", "stdin", true)
		p.ask(t, toolCall("waits", "wait_for_process", "process_id", busy), toolCall("waits too", "get_process_output", "process_id", busy, "wait_seconds", 1000),
			toolCall(1, "send_input", "process_id", idle, "data", "x"), toolCall(2, "get_process_info", "process_id", busy), toolCall(3, "kill_process", "process_id", busy))
		told := p.answers(t, "waits", "waits too", 1, 2, 3)
		assert.Equal(t, "SIGTERM", told[`"waits"`].StructuredContent["signal"])
	})
}

// TestStdioCancelledStart: a start that is cancelled before its answer leaves no process.
func TestStdioCancelledStart(t *testing.T) {
	const often = 200
	p := startServer(t)
	p.initialize(t)
	var ids []any
	for i := range often {
		ids = append(ids, i)
		p.ask(t, toolCall(i, "start_process", "command", "exec sleep 1000", "name", strconv.Itoa(i)),
			fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, i))
	}
	known := map[string]bool{}
	for _, r := range p.answers(t, ids...) {
		if !r.IsError {
			known[r.StructuredContent["process_id"].(string)] = true
		}
	}
	require.Less(t, len(known), often/2, "starts that were not cancelled before their answers")
	testkit.Eventually(t, func(c *assert.CollectT) {
		p.ask(c, toolCall("list", "list_processes"))
		left := idsOf(p.answers(c, "list")[`"list"`].StructuredContent)
		assert.ElementsMatch(c, slices.Collect(maps.Keys(known)), left, "those that the client knows, and those that are left")
		assert.Len(c, testkit.Marked(p.engine), len(known))
	})
}

// Two calls under way with one ID are told from each other by nobody.
func TestTheSameIDTwice(t *testing.T) {
	p := startServer(t)
	p.initialize(t)
	id := p.begun(t, "command", "exec sleep 1000")
	p.ask(t, toolCall("D", "wait_for_process", "process_id", id), toolCall("D", "start_process", "command", "exec sleep 1000"), `{"jsonrpc":"2.0","id":"D","method":"tools/list"}`)
	for range 2 {
		m := p.next(t)
		require.NotNil(t, m.Error)
		require.Equal(t, "null", string(m.ID))
		require.Contains(t, m.Error.Message, "under way")
	}
	p.ask(t, toolCall("kill", "kill_process", "process_id", id))
	p.answers(t, "kill", "D")
	p.ask(t, toolCall("D", "list_processes"))
	require.Len(t, p.answers(t, "D")[`"D"`].StructuredContent["processes"], 1, "and then it may be used again")
}

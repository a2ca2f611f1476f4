package mcpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// TestCancelled: nothing is said to be unaffected that may not be.
func TestCancelled(t *testing.T) {
	for tool, want := range map[string]string{
		"start_process":      "killed, and is forgotten",
		"run_command":        "killed, and is forgotten",
		"signal_process":     "may have been sent",
		"send_input":         "may have been written",
		"kill_process":       "may be ending",
		"release_process":    "may be killed and forgotten",
		"get_process_output": "not affected",
		"wait_for_process":   "not affected",
		"list_processes":     "not affected",
	} {
		text := cancelled(tool).Error()
		assert.Contains(t, text, want, tool)
		if want != "not affected" {
			assert.NotContains(t, text, "not affected", tool)
		}
	}
}

// TestCancelledKill: a client that cancels a kill is told that it goes on.
func TestCancelledKill(t *testing.T) {
	s := newServer(t, Options{}, procession.WithGrace(testkit.Patience))
	in, stdin := io.Pipe()
	stdout, out := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- s.ServeStdio(context.Background(), in, out) }()
	p := &serverProcess{stdin: stdin, stdout: bufio.NewReader(stdout)}
	p.initialize(t)
	call := func(id, tool, arguments string) {
		p.send(t, fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":"tools/call","params":{"name":%q,"arguments":%s,"_meta":{"progressToken":"t"}}}`, id, tool, arguments))
	}
	call("start", "start_process", `{"command":"trap 'read a; exit 3' TERM; echo up; while :; do sleep 0.01; done","stdin":true}`)
	p.answer(t, `"start"`)
	id := p.processID(t)
	call("up", "get_process_output", fmt.Sprintf(`{"process_id":%q,"filter_lines":"up","wait_seconds":30}`, id))
	p.answer(t, `"up"`)
	call("kill", "kill_process", fmt.Sprintf(`{"process_id":%q}`, id))
	for p.next(t).Method != "notifications/progress" {
	}
	stopping(t, s, id)
	p.send(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"kill"}}`)
	m := p.answer(t, `"kill"`)
	assert.Contains(t, fmt.Sprintf("%s %v", m.Result, m.Error), "may be ending")
	call("input", "send_input", fmt.Sprintf(`{"process_id":%q,"data":"\n"}`, id))
	p.answer(t, `"input"`)
	assert.Equal(t, 3, enginetest.Wait(t, s.engine, id).Code)
	stdin.Close()
	assert.NoError(t, <-ended)
}

func TestUnknownProcess(t *testing.T) {
	var many []procession.Info
	for range 30 {
		many = append(many, procession.Info{ID: "proc_x", Command: "sleep", Args: []string{strings.Repeat("1", 100)}, State: procession.Running})
	}
	text := unknownProcess("proc_y", many).Error()
	assert.Contains(t, text, "10 older ones, proc_x (running: sleep 1")
	assert.LessOrEqual(t, len(text), 3000)
	assert.Equal(t, namedAtMost, strings.Count(text, "proc_x"), text)
}

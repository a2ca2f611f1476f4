package mcpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/procession-go/procession"
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
		if text := cancelled(tool).Error(); !strings.Contains(text, want) || strings.Contains(text, "not affected") != (want == "not affected") {
			t.Errorf("%s: %s, want %q", tool, text, want)
		}
	}
}

// TestCancelledKill: a client that cancels a kill is told that it goes on.
func TestCancelledKill(t *testing.T) {
	s := newServer(t, Options{}, procession.WithGrace(patience))
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
	eventually(t, "it is being killed", func() bool {
		info, err := s.engine.Info(within30(t), id)
		return err == nil && info.State == procession.Stopping
	})
	p.send(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"kill"}}`)
	m := p.answer(t, `"kill"`)
	if text := fmt.Sprintf("%s %v", m.Result, m.Error); !strings.Contains(text, "may be ending") {
		t.Errorf("the answer is %s", text)
	}
	call("input", "send_input", fmt.Sprintf(`{"process_id":%q,"data":"\n"}`, id))
	p.answer(t, `"input"`)
	exit, err := s.engine.Wait(within30(t), id)
	if err != nil || exit.Code != 3 {
		t.Errorf("the end is %v, %v", exit, err)
	}
	stdin.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestUnknownProcess(t *testing.T) {
	var many []procession.Info
	for range 30 {
		many = append(many, procession.Info{ID: "proc_x", Command: "sleep", Args: []string{strings.Repeat("1", 100)}, State: procession.Running})
	}
	text := unknownProcess("proc_y", many).Error()
	if !strings.Contains(text, "10 older ones, proc_x (running: sleep 1") || len(text) > 3000 || strings.Count(text, "proc_x") != namedAtMost {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

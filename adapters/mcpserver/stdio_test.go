package mcpserver

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// TestStdioSurvives sends what is no message; the server goes on.
func TestStdioSurvives(t *testing.T) {
	p := startServer(t)
	p.initialize(t)
	big := strings.Repeat("x", helperMessage)
	for _, test := range []struct {
		line string
		id   string
		code int
	}{
		{`{"jsonrpc": "2.0", "id": 1, "method": `, "null", -32700},
		{`hello`, "null", -32700},
		{"\x00\xff{}", "null", -32700},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"} trailing`, "null", -32700},
		{`{}`, "null", -32600},
		{`17`, "null", -32600},
		{`{"jsonrpc":"1.0","id":2,"method":"ping"}`, "2", -32600},
		{`{"jsonrpc":"2.0","id":{},"method":"ping"}`, "null", -32600},
		{`{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, "null", -32600},
		{`{"jsonrpc":"2.0","id":null,"method":"ping"}`, "null", -32600},
		{`{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"ping"}`, "123456789012345678901234567890", -32600},
		{`{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, "9007199254740993", -32600},
		{`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1.5}}`, "null", -32600},
		{`{"jsonrpc":"2.0","id":"x","method":5}`, `"x"`, -32600},
		{`[]`, "null", -32600},
		{`[{"jsonrpc":"2.0","id":3,"method":"ping"}]`, "null", -32600},
		{`{"jsonrpc":"2.0","id":4,"method":"ping","params":{"x":"` + big + `"}}`, "4", -32600},
		{`{"method":"ping","params":{"x":"` + big + `"},"jsonrpc":"2.0","id":"five"}`, `"five"`, -32600},
		{big + "x", "null", -32600},
		{`{"jsonrpc":"2.0","id":6,"method":"no/such/method"}`, "6", -32601},
		{`{"jsonrpc":"2.0","id":7,"method":"tools/call","params":[]}`, "7", -32602},
		{`{"jsonrpc":"2.0","id":8,"method":"ping","params":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + `}`, "8", -32600},
	} {
		p.send(t, test.line)
		m := p.next(t)
		assert.Equal(t, test.id, string(m.ID), "%.60q", test.line)
		if assert.NotNil(t, m.Error, "%.60q", test.line) {
			assert.Equal(t, test.code, m.Error.Code, "%.60q: %s", test.line, m.Error.Message)
		}
	}
	p.send(t, "\r\n  \n"+`{"jsonrpc":"2.0","id":9,"method":"ping"}`+"\r")
	m := p.next(t)
	assert.Nil(t, m.Error, "then, a ping")
	assert.Equal(t, "9", string(m.ID))
	p.startTree(t)
}

// TestStdioEnds ends the server, or its client, in all ways. Nothing is left.
func TestStdioEnds(t *testing.T) {
	wait := `{"jsonrpc":"2.0","id":"wait","method":"tools/call","params":{"name":"wait_for_process","arguments":{"process_id":"%s"},"_meta":{"progressToken":"t"}}}`
	for name, end := range map[string]func(*serverProcess){
		"end of input": func(p *serverProcess) { p.stdin.Close() },
		"SIGTERM":      func(p *serverProcess) { p.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGKILL":      func(p *serverProcess) { p.cmd.Process.Kill() },
	} {
		for _, midCall := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", during a call: ", midCall), func(t *testing.T) {
				t.Parallel()
				p := startServer(t)
				p.initialize(t)
				p.startTree(t)
				if midCall {
					p.send(t, fmt.Sprintf(wait, p.processID(t)))
					require.Equal(t, "notifications/progress", p.next(t).Method)
				}
				end(p)
				p.ended(t)
				testkit.NoneMarked(t, p.engine)
			})
		}
	}
}

// processID is the only process of the session.
func (p *serverProcess) processID(t testing.TB) string {
	t.Helper()
	p.send(t, `{"jsonrpc":"2.0","id":"list","method":"tools/call","params":{"name":"list_processes","arguments":{}}}`)
	m := p.answer(t, `"list"`)
	i := bytes.Index(m.Result, []byte("proc_"))
	require.GreaterOrEqual(t, i, 0, "%s", m.Result)
	return string(m.Result[i : i+len("proc_")+12])
}

// TestStdioOfAClientThatDoesNotRead fills the pipe to a client; the end of input
// and SIGTERM still end the server.
func TestStdioOfAClientThatDoesNotRead(t *testing.T) {
	for what, line := range map[string]string{
		"answers":  `{"jsonrpc":"2.0","id":%d,"method":"tools/list"}`, // some 10 kB
		"refusals": `no message ` + "%d" + strings.Repeat("\nno message", 100),
	} {
		for name, end := range map[string]func(*serverProcess){
			"end of input": func(p *serverProcess) { p.stdin.Close() },
			"SIGTERM":      func(p *serverProcess) { p.cmd.Process.Signal(syscall.SIGTERM) },
		} {
			t.Run(what+", "+name, func(t *testing.T) {
				t.Parallel()
				p := startServer(t)
				p.initialize(t)
				p.startTree(t)
				for i := range 30 {
					p.send(t, fmt.Sprintf(line, i))
				}
				end(p)
				p.ended(t)
				testkit.NoneMarked(t, p.engine)
			})
		}
	}
}

// TestStdioAnswersBeforeItEnds pipes requests into a server.
func TestStdioAnswersBeforeItEnds(t *testing.T) {
	s := newServer(t, Options{})
	in := strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"start_process","arguments":{"command":"exec sleep 1000"}}}
{"jsonrpc":"2.0","id":3,"method":"tools/list"}`)
	var out bytes.Buffer
	assert.NoError(t, s.ServeStdio(context.Background(), in, &out))
	for _, want := range []string{`"id":1,"result"`, `"id":2,"result"`, `"id":3,"result"`, "Started proc_"} {
		assert.Contains(t, out.String(), want)
	}
	noProcesses(t, s)
}

// TestStdioContext ends a server whose client says nothing.
func TestStdioContext(t *testing.T) {
	s := newServer(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	in, _ := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- s.ServeStdio(ctx, in, io.Discard) }()
	cancel()
	select {
	case err := <-ended:
		assert.Equal(t, context.Canceled, err)
	case <-time.After(testkit.Patience):
		require.Fail(t, "it does not end")
	}
}

package acpterm_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/coder/acp-go-sdk"

	"github.com/procession-go/procession/adapters/acpterm"
)

// wire is an agent that speaks JSON by hand.
type wire struct {
	t      *testing.T
	to     io.Writer
	from   *bufio.Scanner
	lastID int
}

func newWire(t *testing.T, client acp.Client) *wire {
	agentIn, toAgent := io.Pipe()
	clientIn, toClient := io.Pipe()
	conn := acp.NewClientSideConnection(client, toAgent, clientIn)
	conn.SetLogger(quiet)
	t.Cleanup(func() {
		toClient.Close()
		agentIn.Close()
		<-conn.Done()
	})
	return &wire{t: t, to: toClient, from: bufio.NewScanner(agentIn)}
}

// call sends a request and returns the result as it came, or the error's code.
func (w *wire) call(method, params string) (result string, code int) {
	w.t.Helper()
	w.lastID++
	if _, err := fmt.Fprintf(w.to, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`+"\n", w.lastID, method, params); err != nil {
		w.t.Fatal(err)
	}
	if !w.from.Scan() {
		w.t.Fatalf("%s: no answer", method)
	}
	var answer struct {
		ID     int
		Result json.RawMessage
		Error  *acp.RequestError
	}
	if err := json.Unmarshal(w.from.Bytes(), &answer); err != nil || answer.ID != w.lastID {
		w.t.Fatalf("%s: %s", method, w.from.Bytes())
	}
	if answer.Error != nil {
		return "", answer.Error.Code
	}
	return string(answer.Result), 0
}

// What other SDKs than this one get to see: which members are there, and which
// are not.
func TestOnTheWire(t *testing.T) {
	eng := newEngine(t)
	terms := acpterm.New(eng)
	w := newWire(t, &host{Terminals: terms})
	b := &bench{eng: eng}

	create := func(line string) string {
		t.Helper()
		result, code := w.call("terminal/create", fmt.Sprintf(
			`{"sessionId":"s","command":"sh","args":["-c",%q],"env":[],"cwd":null,"outputByteLimit":null,"_meta":{"x":1}}`, line))
		var created struct{ TerminalId string }
		if err := json.Unmarshal([]byte(result), &created); err != nil || created.TerminalId == "" {
			t.Fatalf("terminal/create: %s, error %d", result, code)
		}
		return fmt.Sprintf(`{"sessionId":"s","terminalId":%q}`, created.TerminalId)
	}
	expect := func(method, params, want string) {
		t.Helper()
		if result, code := w.call(method, params); result != want {
			t.Errorf("%s: %s, error %d; want %s", method, result, code, want)
		}
	}

	ended := create("echo é; exit 2")
	expect("terminal/wait_for_exit", ended, `{"exitCode":2}`)
	expect("terminal/output", ended, `{"exitStatus":{"exitCode":2},"output":"é\n","truncated":false}`)
	expect("terminal/release", ended, `{}`)

	running := create("echo ready; exec sleep 1000")
	var id struct{ TerminalId string }
	if err := json.Unmarshal([]byte(running), &id); err != nil {
		t.Fatal(err)
	}
	b.awaitReady(t, id.TerminalId)
	expect("terminal/output", running, `{"output":"ready\n","truncated":false}`)
	expect("terminal/kill", running, `{}`)
	expect("terminal/wait_for_exit", running, `{"signal":"SIGTERM"}`)
	expect("terminal/output", running, `{"exitStatus":{"signal":"SIGTERM"},"output":"ready\n","truncated":false}`)
	expect("terminal/release", running, `{}`)

	for _, bad := range []struct {
		method, params string
		code           int
	}{
		{"terminal/create", `{"sessionId":"s"}`, invalidParams},
		{"terminal/create", `{"sessionId":"s","command":"true","outputByteLimit":1.5}`, invalidParams},
		{"terminal/create", `{"sessionId":"s","command":"true","args":"x"}`, invalidParams},
		{"terminal/create", `[]`, invalidParams},
		{"terminal/output", `{"sessionId":"s"}`, invalidParams},
		{"terminal/output", running, notFound},
		{"terminal/wait_for_exit", running, notFound},
		{"terminal/kill", running, notFound},
		{"terminal/release", running, notFound},
		{"terminal/resize", running, -32601},
	} {
		if result, code := w.call(bad.method, bad.params); code != bad.code {
			t.Errorf("%s %s: %s, error %d; want %d", bad.method, bad.params, result, code, bad.code)
		}
	}
}

package acpterm_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/coder/acp-go-sdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/adapters/acpterm"
	"github.com/procession-go/procession/internal/testkit/enginetest"
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
	_, err := fmt.Fprintf(w.to, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`+"\n", w.lastID, method, params)
	require.NoError(w.t, err)
	require.True(w.t, w.from.Scan(), "%s: no answer", method)
	var answer struct {
		ID     int
		Result json.RawMessage
		Error  *acp.RequestError
	}
	require.NoError(w.t, json.Unmarshal(w.from.Bytes(), &answer), "%s: %s", method, w.from.Bytes())
	require.Equal(w.t, w.lastID, answer.ID, "%s: %s", method, w.from.Bytes())
	if answer.Error != nil {
		return "", answer.Error.Code
	}
	return string(answer.Result), 0
}

// What other SDKs than this one get to see: which members are there, and which
// are not.
func TestOnTheWire(t *testing.T) {
	eng := enginetest.New(t)
	terms := acpterm.New(eng)
	w := newWire(t, &host{Terminals: terms})
	b := &bench{eng: eng}

	create := func(line string) string {
		t.Helper()
		result, code := w.call("terminal/create", fmt.Sprintf(
			`{"sessionId":"s","command":"sh","args":["-c",%q],"env":[],"cwd":null,"outputByteLimit":null,"_meta":{"x":1}}`, line))
		var created struct{ TerminalId string }
		require.NoError(t, json.Unmarshal([]byte(result), &created), "terminal/create: %s, error %d", result, code)
		require.NotEmpty(t, created.TerminalId, "terminal/create: %s", result)
		return fmt.Sprintf(`{"sessionId":"s","terminalId":%q}`, created.TerminalId)
	}
	expect := func(method, params, want string) {
		t.Helper()
		result, code := w.call(method, params)
		assert.Equal(t, want, result, "%s: error %d", method, code)
	}

	ended := create("echo é; exit 2")
	expect("terminal/wait_for_exit", ended, `{"exitCode":2}`)
	expect("terminal/output", ended, `{"exitStatus":{"exitCode":2},"output":"é\n","truncated":false}`)
	expect("terminal/release", ended, `{}`)

	running := create("echo ready; exec sleep 1000")
	var id struct{ TerminalId string }
	require.NoError(t, json.Unmarshal([]byte(running), &id))
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
		result, code := w.call(bad.method, bad.params)
		assert.Equal(t, bad.code, code, "%s %s: %s", bad.method, bad.params, result)
	}
}

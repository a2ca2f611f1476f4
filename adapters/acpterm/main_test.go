package acpterm_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"testing"

	"github.com/coder/acp-go-sdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/acpterm"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

func TestMain(m *testing.M) { testkit.Main(m) }

const session = acp.SessionId("sess_1")

// The codes of errors that are looked for.
const (
	notFound      = -32002
	invalidParams = -32602
	internalError = -32603
	cancelled     = -32800
)

var quiet = slog.New(slog.DiscardHandler)

// host is an ACP client with terminals, and with nothing else.
type host struct {
	*acpterm.Terminals
	waiting chan struct{} // if not nil: a terminal/wait_for_exit has come in
	waited  chan error    // if not nil: what it was answered with
}

func (h *host) WaitForTerminalExit(ctx context.Context, r acp.WaitForTerminalExitRequest) (acp.WaitForTerminalExitResponse, error) {
	if h.waiting != nil {
		h.waiting <- struct{}{}
	}
	answer, err := h.Terminals.WaitForTerminalExit(ctx, r)
	if h.waited != nil {
		h.waited <- err
	}
	return answer, err
}

func (*host) ReadTextFile(context.Context, acp.ReadTextFileRequest) (acp.ReadTextFileResponse, error) {
	return acp.ReadTextFileResponse{}, acp.NewMethodNotFound(acp.ClientMethodFsReadTextFile)
}

func (*host) WriteTextFile(context.Context, acp.WriteTextFileRequest) (acp.WriteTextFileResponse, error) {
	return acp.WriteTextFileResponse{}, acp.NewMethodNotFound(acp.ClientMethodFsWriteTextFile)
}

func (*host) RequestPermission(context.Context, acp.RequestPermissionRequest) (acp.RequestPermissionResponse, error) {
	return acp.RequestPermissionResponse{}, acp.NewMethodNotFound(acp.ClientMethodSessionRequestPermission)
}

func (*host) SessionUpdate(context.Context, acp.SessionNotification) error { return nil }

// silent is an agent that is asked nothing.
type silent struct{ acp.Agent }

// link is a connection between a client and an agent.
type link struct {
	agent  *acp.AgentSideConnection
	client *acp.ClientSideConnection
	hangUp func() // the agent goes away
}

func connect(t testing.TB, client acp.Client) *link {
	t.Helper()
	agentIn, toAgent := io.Pipe()
	clientIn, toClient := io.Pipe()
	l := &link{
		client: acp.NewClientSideConnection(client, toAgent, clientIn),
		agent:  acp.NewAgentSideConnection(silent{}, toClient, agentIn),
		hangUp: func() { agentIn.Close(); toClient.Close() }, // so that no answer reaches it any more
	}
	l.client.SetLogger(quiet)
	l.agent.SetLogger(quiet)
	t.Cleanup(func() {
		l.hangUp()
		toAgent.Close()
		<-l.client.Done()
		<-l.agent.Done()
	})
	return l
}

// bench is an engine, terminals on it, and an agent that is connected to them.
type bench struct {
	eng   *procession.Engine
	terms *acpterm.Terminals
	*link
}

func newBench(t testing.TB, opts ...procession.Option) *bench {
	t.Helper()
	eng := enginetest.New(t, opts...)
	terms := acpterm.New(eng)
	return &bench{eng, terms, connect(t, &host{Terminals: terms})}
}

// shell is a request that runs a line with sh.
func shell(line string) acp.CreateTerminalRequest {
	return acp.CreateTerminalRequest{SessionId: session, Command: "sh", Args: []string{"-c", line}}
}

func (b *bench) create(t testing.TB, r acp.CreateTerminalRequest) string {
	t.Helper()
	testkit.NeedsFor(t, r.Command)
	testkit.NeedsFor(t, r.Args...)
	created, err := b.agent.CreateTerminal(testkit.Within(t), r)
	require.NoError(t, err)
	return created.TerminalId
}

func (b *bench) output(t testing.TB, id string) acp.TerminalOutputResponse {
	t.Helper()
	out, err := b.agent.TerminalOutput(testkit.Within(t), acp.TerminalOutputRequest{SessionId: session, TerminalId: id})
	require.NoError(t, err)
	return out
}

func (b *bench) wait(t testing.TB, id string) acp.TerminalExitStatus {
	t.Helper()
	exit, err := b.agent.WaitForTerminalExit(testkit.Within(t), acp.WaitForTerminalExitRequest{SessionId: session, TerminalId: id})
	require.NoError(t, err)
	return acp.TerminalExitStatus(exit)
}

// exited and signalled are the two ways in which a command ends.
func exited(code int) acp.TerminalExitStatus         { return acp.TerminalExitStatus{ExitCode: &code} }
func signalled(signal string) acp.TerminalExitStatus { return acp.TerminalExitStatus{Signal: &signal} }

func (b *bench) kill(t testing.TB, id string) {
	t.Helper()
	_, err := b.agent.KillTerminal(testkit.Within(t), acp.KillTerminalRequest{SessionId: session, TerminalId: id})
	require.NoError(t, err)
}

func (b *bench) release(t testing.TB, id string) {
	t.Helper()
	_, err := b.agent.ReleaseTerminal(testkit.Within(t), acp.ReleaseTerminalRequest{SessionId: session, TerminalId: id})
	require.NoError(t, err)
}

// run creates a terminal and returns its output when it has ended.
func (b *bench) run(t testing.TB, r acp.CreateTerminalRequest) acp.TerminalOutputResponse {
	t.Helper()
	id := b.create(t, r)
	b.wait(t, id)
	defer b.release(t, id)
	return b.output(t, id)
}

// sleeper creates a terminal whose command has printed "ready" and stays, and
// returns its process ID as well.
func (b *bench) sleeper(t testing.TB, in acp.SessionId) (id string, pid int) {
	t.Helper()
	r := shell("echo ready; exec sleep 1000")
	r.SessionId = in
	id = b.create(t, r)
	b.awaitReady(t, id)
	return id, enginetest.Info(t, b.eng, id).PID
}

func (b *bench) awaitReady(t testing.TB, id string) {
	t.Helper()
	_, err := b.eng.WaitFor(testkit.Within(t), id, regexp.MustCompile("^ready$"))
	require.NoError(t, err)
}

// calls are the four requests about a terminal.
func (l *link) calls(in acp.SessionId, id string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"output": func(ctx context.Context) error {
			_, err := l.agent.TerminalOutput(ctx, acp.TerminalOutputRequest{SessionId: in, TerminalId: id})
			return err
		},
		"wait_for_exit": func(ctx context.Context) error {
			_, err := l.agent.WaitForTerminalExit(ctx, acp.WaitForTerminalExitRequest{SessionId: in, TerminalId: id})
			return err
		},
		"kill": func(ctx context.Context) error {
			_, err := l.agent.KillTerminal(ctx, acp.KillTerminalRequest{SessionId: in, TerminalId: id})
			return err
		},
		"release": func(ctx context.Context) error {
			_, err := l.agent.ReleaseTerminal(ctx, acp.ReleaseTerminalRequest{SessionId: in, TerminalId: id})
			return err
		},
	}
}

// unknown fails unless every request about the terminal is refused.
func (l *link) unknown(t testing.TB, in acp.SessionId, id string) {
	t.Helper()
	for name, call := range l.calls(in, id) {
		err := call(testkit.Within(t))
		assert.Equal(t, notFound, code(err), "terminal/%s of %q in %q: %v", name, id, in, err)
	}
}

// code is that of a RequestError, 0 for any other error.
func code(err error) int {
	if e, ok := errors.AsType[*acp.RequestError](err); ok {
		return e.Code
	}
	return 0
}

// assertNone asserts that the engine has no process.
func assertNone(t testing.TB, e *procession.Engine) {
	t.Helper()
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Empty(t, list)
}

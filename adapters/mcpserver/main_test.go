package mcpserver

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// helperVariable makes the test binary a server of its standard input and
// output; its value is the engine's name.
const helperVariable = "MCPSERVER_TEST_ENGINE"

// helperMessage is the largest message that such a server takes, in bytes.
const helperMessage = 100_000

func TestMain(m *testing.M) {
	if procession.Init() {
		return
	}
	inputPatience, bodyPatience, writePatience = 200*time.Millisecond, 3*time.Second, 3*time.Second
	if name, ok := os.LookupEnv(helperVariable); ok {
		os.Unsetenv(helperVariable)
		help(name)
		return
	}
	testkit.Main(m)
}

func help(name string) {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // an error, no end
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	eng, err := procession.New(procession.WithID(name), procession.WithGuardian(), procession.WithGrace(200*time.Millisecond))
	if err != nil {
		panic(err)
	}
	s, err := New(eng, Options{MaxMessage: helperMessage})
	if err != nil {
		panic(err)
	}
	debug.SetGCPercent(25) // as the program procession does
	if os.Getenv(helperHTTP) != "" {
		serveHTTP(ctx, s)
	} else {
		s.ServeStdio(ctx, os.Stdin, os.Stdout)
	}
	if _, err := eng.Shutdown(context.Background()); err != nil {
		panic(err)
	}
}

var engines atomic.Int64

func engineName() string { return fmt.Sprintf("mcptest-%d-%d", os.Getpid(), engines.Add(1)) }

// newServer makes a server on an engine of its own. When the test ends nothing
// may be left of what was started through it.
func newServer(t testing.TB, o Options, options ...procession.Option) *Server {
	t.Helper()
	name := engineName()
	eng := enginetest.New(t, append(options, procession.WithID(name))...)
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s, err := New(eng, o)
	require.NoError(t, err)
	t.Cleanup(func() { // before the engine ends
		s.Close()
		assert.Empty(t, testkit.Marked(name), "processes are left when the sessions have ended")
	})
	return s
}

// server is a server in a process of its own.
type serverProcess struct {
	engine string
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout *bufio.Reader
	done   chan struct{}
}

func helperCommand(engine string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), helperVariable+"="+engine,
		"GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE")) // the race detector's last second, of every process
	cmd.Stderr = os.Stderr
	return cmd
}

// startServer starts a server to which the test speaks itself.
func startServer(t testing.TB) *serverProcess {
	t.Helper()
	p := &serverProcess{engine: engineName(), done: make(chan struct{})}
	p.cmd = helperCommand(p.engine)
	var err error
	p.stdin, err = p.cmd.StdinPipe()
	require.NoError(t, err)
	out, w, err := os.Pipe()
	require.NoError(t, err)
	p.cmd.Stdout = w
	p.stdout = bufio.NewReader(out)
	require.NoError(t, p.cmd.Start())
	w.Close()
	go func() {
		p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(func() {
		p.stdin.Close()
		p.cmd.Process.Kill()
		<-p.done
		out.Close()
		testkit.NoneMarked(t, p.engine)
	})
	return p
}

// testingT is a test, or what testkit.Eventually looks for.
type testingT interface {
	require.TestingT
	Helper()
}

// send writes a line.
func (p *serverProcess) send(t testingT, line string) {
	t.Helper()
	_, err := io.WriteString(p.stdin, line+"\n")
	require.NoError(t, err)
}

// message is a message from the server.
type message struct {
	ID     json.RawMessage
	Method string
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

// next reads a message, which must be one of JSON-RPC.
func (p *serverProcess) next(t testingT) message {
	t.Helper()
	text, err := p.stdout.ReadBytes('\n')
	require.NoError(t, err, "after %q", text)
	var version struct{ JSONRPC string }
	var m message
	require.NoError(t, json.Unmarshal(text, &version), "on standard output, no message: %q", text)
	require.Equal(t, "2.0", version.JSONRPC, "on standard output, no message: %q", text)
	require.NoError(t, json.Unmarshal(text, &m), "on standard output, no message: %q", text)
	return m
}

// answer reads to the answer of that id.
func (p *serverProcess) answer(t testingT, id string) message {
	t.Helper()
	for {
		if m := p.next(t); string(m.ID) == id && m.Method == "" {
			return m
		}
	}
}

func (p *serverProcess) initialize(t testing.TB) {
	t.Helper()
	p.send(t, `{"jsonrpc":"2.0","id":"init","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`)
	p.answer(t, `"init"`)
	p.send(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
}

// start starts a tree of processes through the server: a shell, a child, and one
// that has left the group and ignores signals; and returns when they all run.
func (p *serverProcess) startTree(t testing.TB) {
	t.Helper()
	testkit.NeedsFor(t, tree)
	p.send(t, `{"jsonrpc":"2.0","id":"tree","method":"tools/call","params":{"name":"start_process","arguments":{"command":`+strconv.Quote(tree)+`}}}`)
	m := p.answer(t, `"tree"`)
	require.Nil(t, m.Error)
	require.NotContains(t, string(m.Result), "isError")
	testkit.Eventually(t, func(c *assert.CollectT) {
		assert.GreaterOrEqual(c, len(testkit.Marked(p.engine)), 3, "the tree runs")
	})
}

const tree = `sleep 1000 & setsid sh -c 'trap "" TERM HUP; while :; do sleep 1000; done' & wait`

// ended waits until the server has ended.
func (p *serverProcess) ended(t testing.TB) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(testkit.Patience):
		require.Fail(t, "the server does not end")
	}
}

// forgotten waits until an engine no longer knows a process.
func forgotten(t testing.TB, s *Server, id string) {
	t.Helper()
	ctx := testkit.Within(t)
	testkit.Eventually(t, func(c *assert.CollectT) {
		_, err := s.engine.Info(ctx, id)
		assert.ErrorIs(c, err, procession.ErrNotFound)
	})
}

// stopping waits until a process is being ended.
func stopping(t testing.TB, s *Server, id string) {
	t.Helper()
	ctx := testkit.Within(t)
	testkit.Eventually(t, func(c *assert.CollectT) {
		info, err := s.engine.Info(ctx, id)
		assert.NoError(c, err)
		assert.Equal(c, procession.Stopping, info.State)
	})
}

// noProcesses asserts that an engine has none.
func noProcesses(t testing.TB, s *Server) {
	t.Helper()
	list, err := s.engine.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Empty(t, list)
}

// client is a client of the SDK.
type client struct {
	t testing.TB
	*mcp.ClientSession
	outputs  map[string]*jsonschema.Resolved // the published schemas of results
	progress chan *mcp.ProgressNotificationParams
}

func connect(t testing.TB, transport mcp.Transport) *client {
	t.Helper()
	c := &client{t: t, outputs: map[string]*jsonschema.Resolved{}, progress: make(chan *mcp.ProgressNotificationParams, 1000)}
	sdk := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, &mcp.ClientOptions{
		ProgressNotificationHandler: func(_ context.Context, r *mcp.ProgressNotificationClientRequest) { c.progress <- r.Params },
	})
	var err error
	c.ClientSession, err = sdk.Connect(testkit.Within(t), transport, nil)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	tools, err := c.ListTools(testkit.Within(t), nil)
	require.NoError(t, err)
	for _, tool := range tools.Tools {
		c.outputs[tool.Name], err = schemaOf(t, tool.OutputSchema).Resolve(nil)
		require.NoError(t, err)
	}
	return c
}

type arguments = map[string]any

// try calls a tool; what the protocol refuses fails the test. It may be called on any
// goroutine.
func (c *client) try(name string, in arguments) (text string, result map[string]any, failed bool) {
	c.t.Helper()
	line, _ := in["command"].(string)
	testkit.NeedsFor(c.t, line)
	r, err := c.CallTool(testkit.Within(c.t), &mcp.CallToolParams{Name: name, Arguments: in})
	if !assert.NoError(c.t, err, "%s %v", name, in) {
		return "", nil, true
	}
	for _, content := range r.Content {
		text += content.(*mcp.TextContent).Text
	}
	result, _ = r.StructuredContent.(map[string]any)
	return text, result, r.IsError
}

// succeed calls a tool that must succeed, with a result that fits its schema, and reports
// whether it has. It may be called on any goroutine.
func (c *client) succeed(name string, in arguments) (text string, result map[string]any, ok bool) {
	c.t.Helper()
	text, result, failed := c.try(name, in)
	if !assert.False(c.t, failed, "%s %v: %s", name, in, text) {
		return text, result, false
	}
	assert.NoError(c.t, c.outputs[name].Validate(result), "%s: the result does not fit its schema", name)
	assert.NotEmpty(c.t, text, "%s: no readable text", name)
	return text, result, true
}

// do calls a tool that must succeed; if it does not, the test is over.
func (c *client) do(name string, in arguments) (text string, result map[string]any) {
	c.t.Helper()
	text, result, ok := c.succeed(name, in)
	if !ok {
		c.t.FailNow()
	}
	return text, result
}

// fail calls a tool that must fail with a message that contains all of want.
func (c *client) fail(name string, in arguments, want ...string) {
	c.t.Helper()
	text, _, failed := c.try(name, in)
	assert.True(c.t, failed, "%s %v: no error but %s", name, in, text)
	for _, w := range want {
		assert.Contains(c.t, text, w, "%s %v", name, in)
	}
}

// start starts a shell line, with more arguments if there are some.
func (c *client) start(line string, more ...arguments) string {
	c.t.Helper()
	in := arguments{"command": line}
	for _, m := range more {
		maps.Copy(in, m)
	}
	_, r := c.do("start_process", in)
	return r["process_id"].(string)
}

// wait waits for the end of a process.
func (c *client) wait(id string) map[string]any {
	c.t.Helper()
	_, r := c.do("wait_for_process", arguments{"process_id": id})
	return r
}

// await waits for a line.
func (c *client) await(id, pattern string) map[string]any {
	c.t.Helper()
	_, r := c.do("get_process_output", arguments{"process_id": id, "filter_lines": pattern, "wait_seconds": testkit.Patience.Seconds()})
	require.NotEmpty(c.t, r["output"], "no line matches %q: %v", pattern, r)
	return r
}

// expect asserts that a result has these fields; it may have more. An int is a number in JSON.
func expect(t testing.TB, result map[string]any, want arguments) {
	t.Helper()
	wanted, got := arguments{}, arguments{}
	for name, w := range want {
		if n, ok := w.(int); ok {
			w = float64(n)
		}
		wanted[name] = w
		if has, ok := result[name]; ok {
			got[name] = has
		}
	}
	assert.Equal(t, wanted, got)
}

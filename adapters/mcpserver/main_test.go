package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
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
	debug.SetGCPercent(50) // as the program procession does
	s.ServeStdio(ctx, os.Stdin, os.Stdout)
	if _, err := eng.Shutdown(context.Background()); err != nil {
		panic(err)
	}
}

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

func within30(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

var engines atomic.Int64

func engineName() string { return fmt.Sprintf("mcptest-%d-%d", os.Getpid(), engines.Add(1)) }

// newServer makes a server on an engine of its own. When the test ends nothing
// may be left of what was started through it.
func newServer(t testing.TB, o Options, options ...procession.Option) *Server {
	t.Helper()
	name := engineName()
	eng, err := procession.New(append(options, procession.WithID(name))...)
	if err != nil {
		t.Fatal(err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	s, err := New(eng, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Close()
		if left := marked(name); len(left) > 0 {
			t.Errorf("processes are left when the sessions have ended: %v", left)
		}
		if _, err := eng.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
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
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p.cmd.Stdout = w
	p.stdout = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
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
		p.nothingLeft(t)
	})
	return p
}

// send writes a line.
func (p *serverProcess) send(t testing.TB, line string) {
	t.Helper()
	if _, err := io.WriteString(p.stdin, line+"\n"); err != nil {
		t.Fatal(err)
	}
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
func (p *serverProcess) next(t testing.TB) message {
	t.Helper()
	text, err := p.stdout.ReadBytes('\n')
	if err != nil {
		t.Fatalf("after %q: %v", text, err)
	}
	var version struct{ JSONRPC string }
	var m message
	if json.Unmarshal(text, &version) != nil || version.JSONRPC != "2.0" || json.Unmarshal(text, &m) != nil {
		t.Fatalf("on standard output, no message: %q", text)
	}
	return m
}

// answer reads to the answer of that id.
func (p *serverProcess) answer(t testing.TB, id string) message {
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
	if m := p.answer(t, `"tree"`); m.Error != nil || bytes.Contains(m.Result, []byte("isError")) {
		t.Fatalf("start: %s %v", m.Result, m.Error)
	}
	eventually(t, "the tree runs", func() bool { return len(marked(p.engine)) >= 3 })
}

const tree = `sleep 1000 & setsid sh -c 'trap "" TERM HUP; while :; do sleep 1000; done' & wait`

// ended waits until the server has ended.
func (p *serverProcess) ended(t testing.TB) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal("the server does not end")
	}
}

func (p *serverProcess) nothingLeft(t testing.TB) {
	t.Helper()
	eventually(t, "nothing is left", func() bool { return len(marked(p.engine)) == 0 })
}

// marked are the living processes that carry the mark of an engine.
func marked(engine string) (found []string) {
	environs, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, name := range environs {
		env, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(append(env, 0), []byte("PROCESSION_ENGINE="+engine+"\x00")) {
			continue
		}
		stat, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "stat"))
		if i := bytes.LastIndexByte(stat, ')'); i < 0 || i+2 >= len(stat) || strings.IndexByte("ZX", stat[i+2]) >= 0 {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(name), "cmdline"))
		found = append(found, fmt.Sprintf("%s (%q)", strings.Split(name, "/")[2], command))
	}
	return found
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
	if c.ClientSession, err = sdk.Connect(within30(t), transport, nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	tools, err := c.ListTools(within30(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range tools.Tools {
		if c.outputs[tool.Name], err = schemaOf(t, tool.OutputSchema).Resolve(nil); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

type arguments = map[string]any

// try calls a tool; what the protocol refuses fails the test.
func (c *client) try(name string, in arguments) (text string, result map[string]any, failed bool) {
	c.t.Helper()
	line, _ := in["command"].(string)
	testkit.NeedsFor(c.t, line)
	r, err := c.CallTool(within30(c.t), &mcp.CallToolParams{Name: name, Arguments: in})
	if err != nil {
		c.t.Errorf("%s %v: %v", name, in, err)
		return "", nil, true
	}
	for _, content := range r.Content {
		text += content.(*mcp.TextContent).Text
	}
	result, _ = r.StructuredContent.(map[string]any)
	return text, result, r.IsError
}

// do calls a tool that must succeed, with a result that fits its schema.
func (c *client) do(name string, in arguments) (text string, result map[string]any) {
	c.t.Helper()
	text, result, failed := c.try(name, in)
	if failed {
		c.t.Fatalf("%s %v: %s", name, in, text)
	}
	if err := c.outputs[name].Validate(result); err != nil {
		c.t.Errorf("%s: the result does not fit its schema: %v", name, err)
	}
	if text == "" {
		c.t.Errorf("%s: no readable text", name)
	}
	return text, result
}

// fail calls a tool that must fail with a message that contains all of want.
func (c *client) fail(name string, in arguments, want ...string) {
	c.t.Helper()
	text, _, failed := c.try(name, in)
	if !failed {
		c.t.Errorf("%s %v: no error but %s", name, in, text)
	}
	for _, w := range want {
		if !strings.Contains(text, w) {
			c.t.Errorf("%s %v: the error %q does not contain %q", name, in, text, w)
		}
	}
}

// start starts a shell line, with more arguments if there are some.
func (c *client) start(line string, more ...arguments) string {
	c.t.Helper()
	in := arguments{"command": line}
	for _, m := range more {
		for k, v := range m {
			in[k] = v
		}
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
	_, r := c.do("get_process_output", arguments{"process_id": id, "filter_lines": pattern, "wait_seconds": patience.Seconds()})
	if r["output"] == "" {
		c.t.Fatalf("no line matches %q: %v", pattern, r)
	}
	return r
}

// expect checks fields of a result.
func expect(t testing.TB, result map[string]any, want arguments) {
	t.Helper()
	for name, w := range want {
		if n, ok := w.(int); ok {
			w = float64(n)
		}
		if got, ok := result[name]; !ok || got != w {
			t.Errorf("%s is %#v, want %#v", name, got, w)
		}
	}
}

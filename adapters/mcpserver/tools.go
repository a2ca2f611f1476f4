package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/procession-go/procession/internal/posted"
)

// What tools do to the world, for their annotations.
var (
	// looks changes nothing.
	looks = mcp.ToolAnnotations{ReadOnlyHint: true, DestructiveHint: new(false), IdempotentHint: true, OpenWorldHint: new(false)}
	// acts does what the program does that it starts or talks to: anything.
	acts = mcp.ToolAnnotations{DestructiveHint: new(true), OpenWorldHint: new(true)}
	// ends ends something; ending it again changes nothing.
	ends = mcp.ToolAnnotations{DestructiveHint: new(true), IdempotentHint: true, OpenWorldHint: new(false)}
)

func (s *Server) addTools() {
	add(s, "run_command", "Run a command", acts, (*session).runCommand,
		"Run a command and return its output and exit code. Without args, command is a shell line; with args, it is run directly. "+
			"If it has not ended after yield_seconds, the state is \"running\": it goes on, and wait_for_process or get_process_output with cursor = next_cursor go on from there.")
	add(s, "start_process", "Start a process", acts, (*session).startProcess,
		"Start a process in the background and return at once. Without args, command is a shell line; with args, it is run directly. "+
			"It runs until it ends by itself, its timeout, kill_process, or the end of the session.")
	add(s, "wait_for_output", "Wait for a line", looks, (*session).waitForOutput,
		"Wait until a line of output matches pattern, such as a server's \"ready\" line or a prompt, and return it and what came before it. Pass next_cursor as cursor to wait for the next one. "+
			"If timeout_seconds runs out before, or the process ends, matched is false.")
	add(s, "get_process_output", "Read output", looks, (*session).getProcessOutput,
		"Read the output of a process, of one that has ended too: the end of it, or, with cursor, the first from there. Pass next_cursor as cursor to read on, at once if more is true, later for what is new. "+
			"With wait_seconds it waits for output; with filter_lines as well, for a line that matches, such as a server's \"ready\" line.")
	add(s, "wait_for_process", "Wait for the end", looks, (*session).waitForProcess,
		"Wait until a process has ended and return its exit code and the last {text} bytes of its output; get_process_output has more. If timeout_seconds runs out before, the state is \"running\" and the process goes on.")
	add(s, "send_input", "Send input", acts, (*session).sendInput,
		"Write to the standard input of a process that was started with stdin or pty.")
	add(s, "kill_process", "Kill a process", ends, (*session).killProcess,
		"End a process and everything that it started: first SIGTERM, and SIGKILL if that does not help, or with force at once. Its output stays readable.")
	add(s, "signal_process", "Signal a process", acts, (*session).signalProcess,
		"Send a signal to a process and what it started, such as SIGINT (Ctrl-C) or SIGHUP, and return at once. kill_process is surer to end it.")
	add(s, "release_process", "Forget a process", ends, (*session).releaseProcess,
		"Forget a process and its output. If it runs, it is killed first.")
	add(s, "list_processes", "List processes", looks, (*session).listProcesses,
		"List all processes of this session, also those that have ended and were not released.")
	add(s, "get_process_info", "Describe a process", looks, (*session).getProcessInfo,
		"Describe one process: state, exit, directory, times, output and resource use.")
}

// call is one call of a tool.
type call struct {
	context.Context
	*mcp.CallToolRequest
	arrival *arrival
}

// acts returns the context of the request to the engine with which the call takes effect: what
// comes after it about the same process may begin once that is posted.
func (c call) acts() context.Context {
	return posted.Context(c, c.arrival.begin)
}

// add adds a tool. handle returns what a model reads and the result that it
// stands for, or an error that a model reads.
func add[In, Out any](s *Server, name, title string, hints mcp.ToolAnnotations, handle func(*session, call, In) (string, Out, error), description string) {
	hints.Title = title
	facts := facts(s.options)
	s.params[name], s.looks[name] = paramsSchema[In](facts), hints.ReadOnlyHint
	tool := &mcp.Tool{
		Name: name, Title: title, Description: facts.Replace(description), Annotations: &hints,
		InputSchema: s.params[name], OutputSchema: resultSchema[Out](),
	}
	s.mcp.AddTool(tool, func(ctx context.Context, req *mcp.CallToolRequest) (*mcp.CallToolResult, error) {
		result, err := handled(ctx, s, req, handle)
		if err != nil {
			result = &mcp.CallToolResult{}
			result.SetError(bounded(err))
		}
		return result, nil
	})
}

// handled returns the result of one call, whose arguments are known to fit the schema. The SDK's
// own way would check the result, too, for which it decodes it again.
func handled[In, Out any](ctx context.Context, s *Server, req *mcp.CallToolRequest, handle func(*session, call, In) (string, Out, error)) (_ *mcp.CallToolResult, err error) {
	name := req.Params.Name
	a, err := s.arrivals.of(req)
	if err != nil {
		return nil, err
	}
	defer a.done()
	defer func() {
		if problem := recover(); problem != nil {
			s.options.Logger.Error("a tool has failed", "tool", name, "problem", problem, "stack", string(debug.Stack()))
			err = fmt.Errorf("%s has failed: %v", name, problem)
		}
	}()
	var in In
	if len(req.Params.Arguments) > 0 {
		if err := json.Unmarshal(req.Params.Arguments, &in); err != nil {
			return nil, err
		}
	}
	session, err := s.session(req.Session)
	if err != nil {
		return nil, err
	}
	ctx, cancel := session.within(ctx, a.patience())
	defer cancel()
	if err := a.turn(ctx, s.looks[name]); err != nil {
		return nil, session.explain(ctx, name, err)
	}
	text, out, err := handle(session, call{ctx, req, a}, in)
	if err != nil {
		return nil, session.explain(ctx, name, err)
	}
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: text}}, StructuredContent: out}, nil
}

// instructions tell a model how to use the tools well.
func instructions(o Options) string {
	text := `Runs processes: builds, tests, servers, REPLs.
- A command that ends by itself: run_command answers with its output and exit code. If its state is "running", it goes on: wait_for_process with timeout_seconds (45 is a good choice; call it again while the state is "running").
- A server: start_process, then wait_for_output with a pattern (such as "listening|ready"), which returns when a line matches or the process has ended. Read on with cursor = next_cursor.
- A program to talk to: start_process with stdin (or pty, if it insists on a terminal), then send_input, and wait_for_output for its prompt, or get_process_output with wait_seconds.
- Long output: get_process_output with filter_lines "(?i)error|fail" finds what matters, and context_lines shows what is around it; dropped says how many bytes were left out before what you see. To read all of it begin with cursor 0, and go on with next_cursor while more is true.
- A process and all that it started end with kill_process, and all of them at the end of this session; release_process forgets one that is done with.`
	if o.Root != "" {
		text += "\n- Processes start in the server's root directory or, with cwd, below it."
	}
	if len(o.Allow) > 0 {
		text += "\n- Only some programs may be started; an error says which. Put the program in command and its arguments in args."
	}
	return text
}

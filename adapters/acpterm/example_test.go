package acpterm_test

import (
	"context"
	"fmt"
	"io"

	"github.com/coder/acp-go-sdk"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/acpterm"
)

// editor is an ACP client: its terminals are Procession's, the rest is its own.
type editor struct {
	*acpterm.Terminals
	project string // the directory of its sessions
}

// CreateTerminal is where a client has its say: which directory, what limits,
// whether the user must be asked.
func (e *editor) CreateTerminal(ctx context.Context, r acp.CreateTerminalRequest) (acp.CreateTerminalResponse, error) {
	if r.Cwd == nil {
		r.Cwd = &e.project
	}
	return e.Terminals.CreateTerminal(ctx, r)
}

func (*editor) SessionUpdate(_ context.Context, n acp.SessionNotification) error {
	if message := n.Update.AgentMessageChunk; message != nil {
		fmt.Println("agent:", message.Content.Text.Text)
	}
	return nil
}

func (*editor) RequestPermission(context.Context, acp.RequestPermissionRequest) (acp.RequestPermissionResponse, error) {
	return acp.RequestPermissionResponse{}, acp.NewMethodNotFound(acp.ClientMethodSessionRequestPermission)
}

func (*editor) ReadTextFile(context.Context, acp.ReadTextFileRequest) (acp.ReadTextFileResponse, error) {
	return acp.ReadTextFileResponse{}, acp.NewMethodNotFound(acp.ClientMethodFsReadTextFile)
}

func (*editor) WriteTextFile(context.Context, acp.WriteTextFileRequest) (acp.WriteTextFileResponse, error) {
	return acp.WriteTextFileResponse{}, acp.NewMethodNotFound(acp.ClientMethodFsWriteTextFile)
}

// runner is an agent that runs what it is told and says what came of it.
type runner struct {
	acp.Agent // the methods that it does without
	editor    *acp.AgentSideConnection
}

func (*runner) Initialize(context.Context, acp.InitializeRequest) (acp.InitializeResponse, error) {
	return acp.InitializeResponse{ProtocolVersion: acp.ProtocolVersionNumber}, nil
}

func (*runner) NewSession(context.Context, acp.NewSessionRequest) (acp.NewSessionResponse, error) {
	return acp.NewSessionResponse{SessionId: "sess_1"}, nil
}

func (a *runner) Prompt(ctx context.Context, p acp.PromptRequest) (acp.PromptResponse, error) {
	none, in := acp.PromptResponse{}, p.SessionId
	created, err := a.editor.CreateTerminal(ctx, acp.CreateTerminalRequest{
		SessionId: in, Command: "sh", Args: []string{"-c", p.Prompt[0].Text.Text},
	})
	if err != nil {
		return none, err
	}
	id := created.TerminalId
	defer a.editor.ReleaseTerminal(ctx, acp.ReleaseTerminalRequest{SessionId: in, TerminalId: id})

	exit, err := a.editor.WaitForTerminalExit(ctx, acp.WaitForTerminalExitRequest{SessionId: in, TerminalId: id})
	if err != nil {
		return none, err
	}
	out, err := a.editor.TerminalOutput(ctx, acp.TerminalOutputRequest{SessionId: in, TerminalId: id})
	if err != nil {
		return none, err
	}
	err = a.editor.SessionUpdate(ctx, acp.SessionNotification{SessionId: in, Update: acp.UpdateAgentMessageText(
		fmt.Sprintf("it ended with code %d and printed %q", *exit.ExitCode, out.Output),
	)})
	return acp.PromptResponse{StopReason: acp.StopReasonEndTurn}, err
}

// A client that embeds Terminals, and an agent that uses them, over a connection
// in memory. With a real agent the two pipes are its standard input and output.
func Example() {
	ctx := context.Background()
	eng, err := procession.New()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer eng.Shutdown(ctx)

	agentIn, toAgent := io.Pipe()
	editorIn, toEditor := io.Pipe()
	agent := &runner{}
	agent.editor = acp.NewAgentSideConnection(agent, toEditor, agentIn)
	agent.editor.SetLogger(quiet)

	client := &editor{Terminals: acpterm.New(eng), project: "/"}
	conn := acp.NewClientSideConnection(client, toAgent, editorIn)
	conn.SetLogger(quiet)
	defer func() {
		toAgent.Close() // the agent goes away
		toEditor.Close()
		<-conn.Done()
		client.EndAllSessions(ctx)
	}()

	_, err = conn.Initialize(ctx, acp.InitializeRequest{
		ProtocolVersion:    acp.ProtocolVersionNumber,
		ClientCapabilities: acp.ClientCapabilities{Terminal: true},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	session, err := conn.NewSession(ctx, acp.NewSessionRequest{Cwd: client.project, McpServers: []acp.McpServer{}})
	if err != nil {
		fmt.Println(err)
		return
	}
	done, err := conn.Prompt(ctx, acp.PromptRequest{
		SessionId: session.SessionId,
		Prompt:    []acp.ContentBlock{acp.TextBlock("pwd; exit 3")},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("stop reason:", done.StopReason)
	left, err := eng.List(ctx)
	fmt.Println("processes left:", len(left), err)

	// Output:
	// agent: it ended with code 3 and printed "/\n"
	// stop reason: end_turn
	// processes left: 0 <nil>
}

package acpterm

import (
	"context"
	"crypto/rand"
	"math"
	"path/filepath"
	"strconv"
	"sync"
	"unicode/utf8"

	"github.com/coder/acp-go-sdk"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/visible"
)

// The labels of the processes behind terminals, as Engine.List shows them.
const (
	// LabelSession is the ID of the session that a terminal belongs to.
	LabelSession = "acp.session"
	// LabelConnection tells the terminals of one Terminals from those of
	// another: it is agents who choose session IDs, and two may choose the same.
	LabelConnection = "acp.connection"
	// LabelOutputLimit is outputByteLimit, or WithMaxOutput if that is less, if the
	// agent gave one.
	LabelOutputLimit = "acp.output-limit"
)

// DefaultMaxOutput is the most output of a terminal that an agent can have retained,
// in bytes.
const DefaultMaxOutput = 16 << 20

// Terminals answers an agent's terminal/* requests with processes of an engine.
// Each connection to an agent needs its own Terminals. All methods may be called
// from any goroutine.
//
// A terminal's ID is the ID of its process, so the program can show the output to
// its user while the process runs (Engine.Follow). Standard input is the null
// device and output goes to pipes, because ACP has no way to type, and an agent has
// no use for control sequences. What a command spawned ends with it.
//
// Only the session of a terminal knows its ID, and only until the terminal is
// released. To other requests the ID is unknown.
//
// Errors are *acp.RequestError, which go to the agent as they are, or that of
// the context, which the SDK sends as "Request cancelled" (-32800). The codes are
// those of https://agentclientprotocol.com/protocol/v1/error: -32002 for a
// terminal, a program or a directory that is not there, -32602 for parameters
// that make no sense, -32603 for the rest.
type Terminals struct {
	engine     *procession.Engine
	connection string // LabelConnection
	maxOutput  int    // bytes

	mu       sync.Mutex
	creating map[acp.SessionId][]*creations // in order; only the last may not be ended
}

// Option is an option of New.
type Option func(*Terminals)

// WithMaxOutput sets the most output of a terminal, in bytes, that an agent can have
// retained. A larger outputByteLimit is taken as this one. 0 or less is DefaultMaxOutput.
// A terminal without an outputByteLimit has the engine's limit.
func WithMaxOutput(bytes int) Option {
	return func(t *Terminals) {
		if t.maxOutput = bytes; bytes <= 0 {
			t.maxOutput = DefaultMaxOutput
		}
	}
}

// New makes the terminals of one connection to an agent. When the connection has
// ended, call EndAllSessions to release what is left of them.
func New(eng *procession.Engine, options ...Option) *Terminals {
	t := &Terminals{engine: eng, connection: rand.Text(), maxOutput: DefaultMaxOutput, creating: map[acp.SessionId][]*creations{}}
	for _, option := range options {
		option(t)
	}
	return t
}

// CreateTerminal starts a command, and answers once it runs.
//
// Command is a program, looked up on the engine's PATH, and Args are its
// arguments: no shell looks at either. Without Cwd it runs in the engine's own
// directory; a client whose sessions have one (session/new) sets it here first.
// Env is added to the engine's environment. Without OutputByteLimit the output
// limit is the engine's; more than WithMaxOutput is taken as that.
//
// If the context or the session ends before the answer, no terminal is left.
func (t *Terminals) CreateTerminal(ctx context.Context, r acp.CreateTerminalRequest) (acp.CreateTerminalResponse, error) {
	var none acp.CreateTerminalResponse
	spec, err := t.spec(r)
	if err != nil {
		return none, err
	}
	if err := ctx.Err(); err != nil {
		return none, err
	}
	session := t.begin(r.SessionId)
	defer t.finish(r.SessionId, session)

	// A start that is not waited for would leave a terminal that nobody knows.
	unhurried := context.WithoutCancel(ctx)
	id, err := t.engine.Start(unhurried, spec)
	if err != nil {
		return none, cannotStart(r, err)
	}
	err = ctx.Err()
	if t.ended(session) {
		err = unknownSession(r.SessionId)
	}
	if err != nil {
		_ = t.engine.Release(unhurried, id) // fails only if the process is gone already
		return none, err
	}
	return acp.CreateTerminalResponse{TerminalId: id}, nil
}

func (t *Terminals) spec(r acp.CreateTerminalRequest) (procession.Spec, error) {
	spec := procession.Spec{
		Command: r.Command,
		Args:    r.Args,
		Env:     make(map[string]string, len(r.Env)),
		Labels:  t.labels(r.SessionId),
	}
	for _, v := range r.Env {
		spec.Env[v.Name] = v.Value
	}
	if r.Cwd != nil {
		if !filepath.IsAbs(*r.Cwd) {
			return spec, invalidParams("cwd %q is not an absolute path", *r.Cwd)
		}
		spec.Dir = *r.Cwd
	}
	if limit := r.OutputByteLimit; limit != nil {
		if *limit < 0 {
			return spec, invalidParams("outputByteLimit %d is negative", *limit)
		}
		bytes := min(*limit, t.maxOutput)
		// The engine's 0 is its default. The one byte is cut when it is shown.
		spec.OutputLimit = max(int64(bytes), 1)
		spec.Labels[LabelOutputLimit] = strconv.Itoa(bytes)
	}
	return spec, nil
}

func (t *Terminals) labels(session acp.SessionId) map[string]string {
	return map[string]string{LabelSession: string(session), LabelConnection: t.connection}
}

// TerminalOutput answers with the newest output, stdout and stderr in the order
// in which they arrived, and with the exit status if the command has ended and
// its output is complete. Bytes that are not UTF-8 are shown as U+FFFD, characters
// that deceive a model, because they turn the direction of text or cannot be seen,
// as what they are: <U+202E>. Output is never longer than outputByteLimit, in bytes,
// and starts with a whole character; Truncated means that something is missing before
// it.
//
// An agent on the Go SDK (0.13) loses its connection over a message of more than
// 10 MiB, and JSON may need six bytes for one of output. That is far away with the
// engine's default limit of 1 MiB; more is up to the agent.
func (t *Terminals) TerminalOutput(ctx context.Context, r acp.TerminalOutputRequest) (acp.TerminalOutputResponse, error) {
	var none acp.TerminalOutputResponse
	info, err := t.find(ctx, r.SessionId, r.TerminalId)
	if err != nil {
		return none, err
	}
	output, err := t.engine.Output(ctx, r.TerminalId)
	if err != nil {
		return none, failed(r.TerminalId, err)
	}
	all := visible.Text(output.Combined())
	shown := tail(all, limitOf(info))
	response := acp.TerminalOutputResponse{Output: shown, Truncated: output.Truncated() || len(shown) < len(all)}
	if output.Exit != nil {
		code, signal := status(*output.Exit)
		response.ExitStatus = &acp.TerminalExitStatus{ExitCode: code, Signal: signal}
	}
	return response, nil
}

// WaitForTerminalExit answers once the command has ended and its output is
// complete. If the context ends before that, the command goes on.
func (t *Terminals) WaitForTerminalExit(ctx context.Context, r acp.WaitForTerminalExitRequest) (acp.WaitForTerminalExitResponse, error) {
	var none acp.WaitForTerminalExitResponse
	if _, err := t.find(ctx, r.SessionId, r.TerminalId); err != nil {
		return none, err
	}
	exit, err := t.engine.Wait(ctx, r.TerminalId)
	if err != nil {
		return none, failed(r.TerminalId, err)
	}
	code, signal := status(exit)
	return acp.WaitForTerminalExitResponse{ExitCode: code, Signal: signal}, nil
}

// KillTerminal ends the command and everything it spawned: by SIGTERM, and after
// the engine's grace by SIGKILL. It answers once all of it is dead. The terminal
// stays, with its output and exit status. For a command that has ended it does
// nothing.
func (t *Terminals) KillTerminal(ctx context.Context, r acp.KillTerminalRequest) (acp.KillTerminalResponse, error) {
	var done acp.KillTerminalResponse
	if _, err := t.find(ctx, r.SessionId, r.TerminalId); err != nil {
		return done, err
	}
	if _, err := t.engine.Kill(ctx, r.TerminalId); err != nil {
		return done, failed(r.TerminalId, err)
	}
	return done, nil
}

// ReleaseTerminal kills the command if it runs, and forgets the terminal: its ID is
// unknown from then on. Requests that wait for its exit are answered first.
func (t *Terminals) ReleaseTerminal(ctx context.Context, r acp.ReleaseTerminalRequest) (acp.ReleaseTerminalResponse, error) {
	var done acp.ReleaseTerminalResponse
	if _, err := t.find(ctx, r.SessionId, r.TerminalId); err != nil {
		return done, err
	}
	if err := t.engine.Release(ctx, r.TerminalId); err != nil {
		return done, failed(r.TerminalId, err)
	}
	return done, nil
}

// find describes the process of a terminal, if that is one of the session's.
func (t *Terminals) find(ctx context.Context, session acp.SessionId, id string) (procession.Info, error) {
	info, err := t.engine.Info(ctx, id)
	switch {
	case err != nil:
		return info, failed(id, err)
	case info.Labels[LabelConnection] != t.connection || info.Labels[LabelSession] != string(session):
		return info, unknownTerminal(id)
	}
	return info, nil
}

// limitOf returns the most bytes of a terminal's output that are shown.
func limitOf(info procession.Info) int {
	if limit, err := strconv.Atoi(info.Labels[LabelOutputLimit]); err == nil {
		return limit
	}
	if info.OutputLimit == procession.Unlimited {
		return math.MaxInt
	}
	return int(info.OutputLimit)
}

// tail returns the longest part of text that is at its end, has at most limit bytes
// and starts with a whole character.
func tail(text string, limit int) string {
	from := max(len(text)-limit, 0)
	for from < len(text) && !utf8.RuneStart(text[from]) {
		from++
	}
	return text[from:]
}

// status returns an exit in the terms of ACP: the code is null after a signal, and
// the signal is null otherwise.
func status(exit procession.Exit) (code *int, signal *string) {
	if exit.Signal != "" {
		return nil, &exit.Signal
	}
	if exit.Code < 0 { // ACP's exit codes are not negative
		return nil, nil
	}
	return &exit.Code, nil
}

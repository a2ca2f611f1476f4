package mcpserver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/procession-go/procession"
)

// Defaults of Options, and the most that max_bytes may ask for (Options.TextLimit
// if that is more).
const (
	DefaultTextLimit  = 32 << 10        // bytes
	MaxTextLimit      = 1 << 20         // bytes
	DefaultMaxMessage = 4 << 20         // bytes
	DefaultRetention  = 256             // processes that have ended, of a session
	DefaultProgress   = 2 * time.Second // between two progress notifications
)

// Options say what clients may do. The zero value lets them do everything.
type Options struct {
	// Version is what the server says its version is. "" is "dev".
	Version string
	// Allow lists the programs that may be started; empty allows all. Deny lists
	// programs that may not be started, even if Allow has them. Both hold patterns
	// of path.Match. A pattern with a slash is matched with the path of the program,
	// one without a slash with its base name. A base name is allowed only where PATH
	// finds that program. The program of a shell line is /bin/sh, which can run
	// anything.
	Allow, Deny []string
	// Root is the directory that working directories must be in, with symbolic links
	// resolved. Relative ones are relative to it. "" allows any. It binds where
	// processes start, not where they go.
	Root string
	// MaxOutput is the most that output_limit may ask for, in bytes. 0 is no
	// limit.
	MaxOutput int64
	// TextLimit is how many bytes of output a result has unless a call says
	// otherwise. 0 is 32 KiB.
	TextLimit int
	// MaxMessage is the most bytes that one message from a client may have. 0 is
	// 4 MiB.
	MaxMessage int
	// Progress is the time between two progress notifications to a client that
	// asked for them. 0 is 2 s.
	Progress time.Duration
	// Idle is how long an HTTP session lasts without a request under way. 0 is for
	// ever.
	Idle time.Duration
	// Retention is how many processes that have ended a session keeps. The oldest
	// are released when the session starts another one. 0 is 256, a negative number
	// is no limit. The engine's own retention is for all sessions together, so one
	// session would lose its results to another: WithRetention(-1, 0) disables it.
	Retention int
	// Logger is where the server logs what is wrong. nil is slog.Default.
	Logger *slog.Logger
}

// mostText returns the most bytes of output that a result has.
func (o Options) mostText() int { return max(MaxTextLimit, o.TextLimit) }

// Server offers an engine to MCP clients. All its methods may be called from any
// goroutine.
type Server struct {
	engine  *procession.Engine
	options Options
	policy  *policy
	mcp     *mcp.Server
	params  map[string]*jsonschema.Schema // of the tools, by name
	looks   map[string]bool               // tools that change nothing
	turns   chan struct{}                 // see turn

	arrivals arrivals
	plains   plains

	mu       sync.Mutex
	closed   bool
	sessions map[*mcp.ServerSession]*session
}

// New makes a server for eng. The caller shuts eng down when the server is done. An
// error says which option makes no sense.
func New(eng *procession.Engine, o Options) (*Server, error) {
	o.Version = cmp.Or(o.Version, "dev")
	o.TextLimit = cmp.Or(o.TextLimit, DefaultTextLimit)
	o.MaxMessage = cmp.Or(o.MaxMessage, DefaultMaxMessage)
	o.Retention = cmp.Or(o.Retention, DefaultRetention)
	o.Progress = cmp.Or(o.Progress, DefaultProgress)
	o.Logger = cmp.Or(o.Logger, slog.Default())
	if o.TextLimit < 0 || o.MaxMessage < 0 || o.MaxOutput < 0 || o.Progress < 0 || o.Idle < 0 {
		return nil, errors.New("mcpserver: an option is negative")
	}
	policy, err := newPolicy(o)
	if err != nil {
		return nil, err
	}
	s := &Server{engine: eng, options: o, policy: policy, sessions: map[*mcp.ServerSession]*session{},
		params: map[string]*jsonschema.Schema{}, looks: map[string]bool{}, turns: make(chan struct{}, runtime.GOMAXPROCS(0))}
	s.mcp = mcp.NewServer(
		&mcp.Implementation{Name: "procession", Title: "Procession process engine", Version: o.Version},
		&mcp.ServerOptions{
			Instructions: instructions(o),
			Logger:       slog.New(atLeast{slog.LevelWarn, o.Logger.Handler()}),
			Capabilities: &mcp.ServerCapabilities{Tools: &mcp.ToolCapabilities{}},
		})
	s.addTools()
	s.mcp.AddReceivingMiddleware(s.receive)
	return s, nil
}

// MCP returns the SDK's server, to which an embedder may add tools of its own, and
// which it may connect to transports of its own.
func (s *Server) MCP() *mcp.Server { return s.mcp }

// Close ends all sessions and releases their processes. It returns when that is
// done. Later requests are refused.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	var all sync.WaitGroup
	for _, session := range s.sessions {
		all.Go(session.close)
	}
	s.mu.Unlock()
	all.Wait()
}

// receive sees every message of every client before the SDK's handler does.
func (s *Server) receive(next mcp.MethodHandler) mcp.MethodHandler {
	return func(ctx context.Context, method string, req mcp.Request) (_ mcp.Result, err error) {
		defer func() { err = bounded(err) }()
		if ss, ok := req.GetSession().(*mcp.ServerSession); ok {
			if _, err := s.session(ss); err != nil {
				return nil, err
			}
		}
		if call, ok := req.(*mcp.CallToolRequest); ok && call.Params != nil {
			if schema := s.params[call.Params.Name]; schema != nil {
				call.Params.Arguments = lenient(schema, call.Params.Arguments)
				if err := wrongArguments(schema, call.Params.Arguments); err != nil {
					var refused mcp.CallToolResult
					refused.SetError(bounded(err))
					return &refused, nil
				}
			}
		}
		return next(ctx, method, req)
	}
}

// session returns the session of a connection, which begins with its first message
// and ends with the connection.
func (s *Server) session(ss *mcp.ServerSession) (*session, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known, ok := s.sessions[ss]; ok {
		return known, nil
	}
	if s.closed {
		return nil, errServerClosed
	}
	begun := newSession(s, ss)
	s.sessions[ss] = begun
	go func() {
		ss.Wait()
		begun.end()
		s.mu.Lock()
		delete(s.sessions, ss)
		s.mu.Unlock()
	}()
	return begun, nil
}

// sessionByID returns the session of that Mcp-Session-Id, nil if there is none.
func (s *Server) sessionByID(id string) *session {
	if id == "" { // which is that of a client on a pipe
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for ss, session := range s.sessions {
		if ss.ID() == id {
			return session
		}
	}
	return nil
}

// atLeast logs what is at least so important.
type atLeast struct {
	level slog.Level
	slog.Handler
}

func (h atLeast) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= h.level && h.Handler.Enabled(ctx, level)
}

func (h atLeast) WithAttrs(attrs []slog.Attr) slog.Handler {
	return atLeast{h.level, h.Handler.WithAttrs(attrs)}
}

func (h atLeast) WithGroup(name string) slog.Handler {
	return atLeast{h.level, h.Handler.WithGroup(name)}
}

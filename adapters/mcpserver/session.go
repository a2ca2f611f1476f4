package mcpserver

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/procession-go/procession"
)

// SessionLabel is the label that marks to which session a process belongs.
// Clients neither see nor set it.
const SessionLabel = "procession.mcp-session"

var (
	errSessionEnded = errors.New("the session has ended, and its processes with it")
	errServerClosed = errors.New("the server is shutting down")
)

// session is what one client has: the processes that carry its label.
//
// It ends once: then its waiting calls are answered, and its processes released.
// The label does all the work, so that a process whose start was cut short
// belongs to the session as well.
type session struct {
	server *Server
	client *mcp.ServerSession
	label  string

	ctx    context.Context // ends with the session
	cancel context.CancelCauseFunc
	ending sync.Once

	mu     sync.Mutex
	ended  bool
	starts sync.WaitGroup // starts under way; grows only while not ended
	known  int            // processes there may be of it, see retain
	busy   int            // HTTP requests under way
	timer  *time.Timer    // ends the session when it is idle, nil if nothing does
}

func newSession(server *Server, client *mcp.ServerSession) *session {
	s := &session{server: server, client: client, label: uuid.NewString()}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	if server.options.Idle > 0 && client.ID() != "" {
		s.timer = time.AfterFunc(server.options.Idle, s.expire)
	}
	return s
}

// selector selects the session's processes.
func (s *session) selector() procession.Selector {
	return procession.Selector{Labels: map[string]string{SessionLabel: s.label}}
}

// start starts a process that belongs to the session.
func (s *session) start(ctx context.Context, spec procession.Spec) (string, error) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return "", errSessionEnded
	}
	s.starts.Add(1)
	s.mu.Unlock()
	defer s.starts.Done()
	labels := maps.Clone(spec.Labels)
	if labels == nil {
		labels = map[string]string{}
	}
	labels[SessionLabel] = s.label
	spec.Labels = labels
	id, err := s.server.engine.Start(ctx, spec)
	s.retain(context.WithoutCancel(ctx))
	return id, err
}

// info describes one of the session's processes.
func (s *session) info(ctx context.Context, id string) (procession.Info, error) {
	info, err := s.server.engine.Info(ctx, id)
	if errors.Is(err, procession.ErrNotFound) || err == nil && info.Labels[SessionLabel] != s.label {
		return procession.Info{}, s.unknown(ctx, id)
	}
	return info, err
}

// list describes the session's processes.
func (s *session) list(ctx context.Context) ([]procession.Info, error) {
	return s.server.engine.List(ctx, s.selector())
}

// within is ctx, ended also by the end of the session.
func (s *session) within(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// end ends the session and returns when nothing of it is left.
func (s *session) end() {
	s.ending.Do(func() {
		s.mu.Lock()
		s.ended = true
		if s.timer != nil {
			s.timer.Stop()
		}
		s.mu.Unlock()
		s.cancel(errSessionEnded)
		s.starts.Wait()
		_, err := s.server.engine.ReleaseAll(context.Background(), s.selector())
		if err != nil && !errors.Is(err, procession.ErrClosed) {
			s.server.options.Logger.Error("cannot release the processes of a session", "error", err)
		}
	})
}

// close ends the session and its connection. The connection is not waited for:
// a client that reads nothing can hold it up.
func (s *session) close() {
	s.end()
	go s.client.Close()
}

// enter tells that an HTTP request begins, and leave that it is over.
func (s *session) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy++
	if s.timer != nil {
		s.timer.Stop()
	}
}

func (s *session) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy--
	if s.busy == 0 && s.timer != nil && !s.ended {
		s.timer.Reset(s.server.options.Idle)
	}
}

// expire ends a session that was idle for too long.
func (s *session) expire() {
	s.mu.Lock()
	busy := s.busy > 0
	s.mu.Unlock()
	if !busy {
		s.server.options.Logger.Info("a session was idle for too long", "session", s.client.ID())
		s.close()
	}
}

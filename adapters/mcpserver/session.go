package mcpserver

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/procession-go/procession"
)

// SessionLabel is the label that says to which session a process belongs.
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
	starts sync.WaitGroup          // starts under way; grows only while not ended
	known  int                     // processes there may be of it, see retain
	gone   map[string]int          // processes that are being released, and how often
	posts  map[*patientWriter]bool // answers to HTTP requests that are under way
	timer  *time.Timer             // ends the session when it is idle, nil if nothing does
}

func newSession(server *Server, client *mcp.ServerSession) *session {
	s := &session{server: server, client: client, label: uuid.NewString()}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	if server.options.Idle > 0 && client.ID() != "" {
		s.mu.Lock() // which end takes, that the timer calls
		s.timer = time.AfterFunc(server.options.Idle, s.expire)
		s.mu.Unlock()
	}
	return s
}

// selector selects the session's processes.
func (s *session) selector() procession.Selector {
	return procession.Selector{Labels: map[string]string{SessionLabel: s.label}}
}

// start starts a process that belongs to the session. If ctx ends before that has begun to
// run, it may run all the same, see undoStart.
func (s *session) start(ctx context.Context, spec procession.Spec) (string, error) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return "", errSessionEnded
	}
	s.starts.Add(1)
	s.mu.Unlock()
	defer s.starts.Done()
	spec.Labels = labelled(spec.Labels, SessionLabel, s.label)
	id, err := s.server.engine.Start(ctx, spec)
	s.retain(context.WithoutCancel(ctx))
	return id, err
}

// info describes one of the session's processes.
func (s *session) info(ctx context.Context, id string) (procession.Info, error) {
	if s.isForgotten(id) {
		return procession.Info{}, s.unknown(ctx, id)
	}
	info, err := s.server.engine.Info(ctx, id)
	if errors.Is(err, procession.ErrNotFound) || err == nil && info.Labels[SessionLabel] != s.label {
		return procession.Info{}, s.unknown(ctx, id)
	}
	return info, err
}

// list describes the session's processes.
func (s *session) list(ctx context.Context) ([]procession.Info, error) {
	all, err := s.server.engine.List(ctx, s.selector())
	return slices.DeleteFunc(all, func(p procession.Info) bool { return s.isForgotten(p.ID) }), err
}

// forget makes a process that is being released unknown to all calls from now on. known takes
// that back.
func (s *session) forget(id string) (known func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone == nil {
		s.gone = map[string]int{}
	}
	s.gone[id]++
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.gone[id]--; s.gone[id] == 0 {
			delete(s.gone, id)
		}
	}
}

func (s *session) isForgotten(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone[id] > 0
}

// within is ctx, ended also by the end of the session, and by that of the client's patience.
func (s *session) within(ctx, patience context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	ended := context.AfterFunc(s.ctx, func() { cancel(context.Cause(s.ctx)) })
	vanished := context.AfterFunc(patience, func() { cancel(errUnanswered) })
	return ctx, func() {
		ended()
		vanished()
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
		s.hurry()
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

// enter tells that an HTTP request begins, and leave that it is over. It answers false if
// the session has ended.
func (s *session) enter(w *patientWriter) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return false
	}
	if s.posts == nil {
		s.posts = map[*patientWriter]bool{}
	}
	s.posts[w] = true
	if s.timer != nil {
		s.timer.Stop()
	}
	return true
}

func (s *session) leave(w *patientWriter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.posts, w)
	if len(s.posts) == 0 && s.timer != nil && !s.ended {
		s.timer.Reset(s.server.options.Idle)
	}
}

// hurry ends the patience with clients that do not read their answers, so that nothing waits
// for them.
func (s *session) hurry() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.posts {
		w.hurry()
	}
}

// expire ends a session that was idle for too long. That is decided here, once: a request
// that comes later finds none.
func (s *session) expire() {
	s.mu.Lock()
	idle := len(s.posts) == 0 && !s.ended
	s.ended = s.ended || idle
	s.mu.Unlock()
	if idle {
		s.server.options.Logger.Info("a session was idle for too long", "session", s.client.ID())
		s.close()
	}
}

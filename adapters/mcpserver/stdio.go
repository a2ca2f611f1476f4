package mcpserver

import (
	"context"
	"io"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// linger is how long the answers to what was asked may take when the client has
// said its last word, or when the server is told to end.
const linger = 500 * time.Millisecond

// ServeStdio serves one client, which writes its messages to in and reads those
// of the server from out, one JSON object a line. It returns when in has ended,
// when out can no longer be written, or when ctx ends, and then nothing is left
// of what the client has started. If in is an io.Closer it is closed.
//
// What is no message (malformed, too large, a batch) is answered with an error
// of JSON-RPC, and the conversation goes on.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	conn := newLineConn(&s.arrivals, in, out, s.options.MaxMessage)
	defer conn.leave()
	client, err := s.mcp.Connect(context.WithoutCancel(ctx), connected{conn}, nil)
	if err != nil {
		return err
	}
	err = lastWord(ctx, conn, client)
	s.mu.Lock()
	session := s.sessions[client]
	s.mu.Unlock()
	if session != nil {
		session.end()
	}
	return err
}

// lastWord returns when the client or ctx has ended the conversation. It does not
// rely on a client that reads nothing: what is being written to it is left.
func lastWord(ctx context.Context, conn *lineConn, client *mcp.ServerSession) error {
	done := make(chan error, 1)
	go func() { done <- client.Wait() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	case <-conn.ended:
		select {
		case err := <-done:
			return err
		case <-ctx.Done():
		case <-time.After(linger):
		}
	}
	conn.Close() // which ends what waits
	select {
	case <-done:
	case <-time.After(linger):
	}
	return ctx.Err()
}

// connected is a transport that has its connection already.
type connected struct{ mcp.Connection }

func (c connected) Connect(context.Context) (mcp.Connection, error) { return c.Connection, nil }

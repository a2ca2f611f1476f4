//go:build linux

package soak

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"github.com/procession-go/procession/internal/testkit"
)

// errExpired is the error of a request in a session that was idle for too long.
var errExpired = errors.New("the session has expired")

// wire is a client's connection to a server.
type wire interface {
	// send sends a request, and returns where the messages come that belong to it,
	// and what is to be called after the last of them.
	send(request []byte) (messages *bufio.Reader, done func(), err error)
	// end ends the session as a client does that means well, and returns when the
	// server says that it has ended.
	end() error
	// cut closes all that is open, without a word. An error says that the server
	// does not mind.
	cut() error
}

// message is a message from a server.
type message struct {
	ID     json.RawMessage
	Error  *struct{ Message string }
	Result struct {
		IsError           bool
		Content           []struct{ Text string }
		StructuredContent struct {
			ProcessID  string `json:"process_id"`
			PID        int
			NextCursor int64 `json:"next_cursor"`
		}
	}
}

// next reads a message: a line of stdio, or a line of data of an event stream.
func next(messages *bufio.Reader) (m message, err error) {
	for {
		line, err := messages.ReadBytes('\n')
		if err != nil {
			return m, fmt.Errorf("after %.80q there is no message: %w", line, err)
		}
		if text := bytes.TrimPrefix(line, []byte("data: ")); text[0] == '{' {
			return m, json.Unmarshal(text, &m)
		}
	}
}

// httpWire is a session over streamable HTTP.
type httpWire struct {
	url, session string
	client       http.Client
	ctx          context.Context // of its requests
	cancel       context.CancelFunc
}

func openHTTP(url string) *httpWire {
	// A request that is not read must last longer than the end of the session may take.
	w := &httpWire{url: url, client: http.Client{Transport: &http.Transport{}, Timeout: 2 * testkit.Patience}}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	return w
}

func (w *httpWire) do(ctx context.Context, method string, body []byte, want ...int) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, w.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if w.session != "" {
		r.Header.Set("Mcp-Session-Id", w.session)
		r.Header.Set("Mcp-Protocol-Version", protocol)
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return nil, err
	}
	for _, status := range want {
		if answer.StatusCode == status {
			return answer, nil
		}
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound && w.session != "" {
		return nil, errExpired
	}
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 200))
	return nil, fmt.Errorf("%s: %s: %s", method, answer.Status, text)
}

func (w *httpWire) send(request []byte) (*bufio.Reader, func(), error) {
	answer, err := w.do(w.ctx, http.MethodPost, request, http.StatusOK, http.StatusAccepted)
	if err != nil {
		return nil, nil, err
	}
	if w.session == "" {
		w.session = answer.Header.Get("Mcp-Session-Id")
	}
	return bufio.NewReader(answer.Body), func() {
		io.Copy(io.Discard, answer.Body) // so that the connection can be used again
		answer.Body.Close()
	}, nil
}

func (w *httpWire) end() error {
	ctx, cancel := context.WithTimeout(w.ctx, testkit.Patience)
	defer cancel()
	answer, err := w.do(ctx, http.MethodDelete, nil, http.StatusNoContent)
	if err == nil {
		answer.Body.Close()
	}
	return err
}

func (w *httpWire) cut() error {
	w.cancel()
	w.client.CloseIdleConnections()
	return nil
}

// stdioWire is a server of one's own.
type stdioWire struct {
	cmd      *exec.Cmd
	stdin    *os.File
	stdout   *os.File
	messages *bufio.Reader
	exited   chan struct{}
}

func openStdio(engine string) (*stdioWire, error) {
	w := &stdioWire{cmd: play("stdio", engine), exited: make(chan struct{})}
	in, toServer, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	fromServer, out, err := os.Pipe()
	if err != nil {
		toServer.Close()
		return nil, err
	}
	defer out.Close()
	w.cmd.Stdin, w.cmd.Stdout = in, out
	w.stdin, w.stdout, w.messages = toServer, fromServer, bufio.NewReader(fromServer)
	if err := w.cmd.Start(); err != nil {
		return nil, errors.Join(err, toServer.Close(), fromServer.Close())
	}
	go func() {
		defer close(w.exited)
		w.cmd.Wait()
	}()
	return w, nil
}

func (w *stdioWire) send(request []byte) (*bufio.Reader, func(), error) {
	deadline := time.Now().Add(testkit.Patience)
	w.stdin.SetWriteDeadline(deadline)
	w.stdout.SetReadDeadline(deadline)
	_, err := w.stdin.Write(append(request, '\n'))
	return w.messages, func() {}, err
}

func (w *stdioWire) end() error {
	w.stdin.Close()
	return w.gone()
}

func (w *stdioWire) cut() error {
	w.stdin.Close()
	w.stdout.Close()
	return w.gone()
}

// gone waits for the end of the server.
func (w *stdioWire) gone() error {
	select {
	case <-w.exited:
		return nil
	case <-time.After(testkit.Patience):
		w.kill()
		return errors.New("a server on stdio outlives its client")
	}
}

// kill kills the server.
func (w *stdioWire) kill() {
	w.cmd.Process.Kill()
	<-w.exited
}

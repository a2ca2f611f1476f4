package mcpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// httpClient is a client that writes its requests itself.
type httpClient struct {
	url, session string
}

func newHTTPClient(t *testing.T, s *Server) *httpClient {
	h := httptest.NewServer(s.Handler(HTTPOptions{Loopback: true}))
	t.Cleanup(func() {
		s.Close()
		h.CloseClientConnections()
		h.Close()
	})
	c := &httpClient{url: h.URL + Path}
	var status int
	status, _, c.session = post(t, http.DefaultClient, c.url, initialize)
	require.Equal(t, 200, status)
	c.post(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	return c
}

func (c *httpClient) post(t testing.TB, body string) (status int, text string) {
	t.Helper()
	status, text, _ = post(t, http.DefaultClient, c.url, body, "Mcp-Session-Id", c.session, "MCP-Protocol-Version", "2025-11-25")
	return status, text
}

var dialer net.Dialer

// open sends a request on a connection of its own, and reads nothing.
func (c *httpClient) open(t testing.TB, body string) net.Conn {
	t.Helper()
	address := strings.TrimSuffix(strings.TrimPrefix(c.url, "http://"), Path)
	conn, err := dialer.DialContext(testkit.Within(t), "tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { conn.Close() })
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"+
		"Mcp-Session-Id: %s\r\nMCP-Protocol-Version: 2025-11-25\r\nContent-Length: %d\r\n\r\n%s", Path, address, c.session, len(body), body)
	require.NoError(t, err)
	return conn
}

func (c *httpClient) delete(t testing.TB) (status int) {
	t.Helper()
	r, err := http.NewRequestWithContext(testkit.Within(t), http.MethodDelete, c.url, nil)
	require.NoError(t, err)
	r.Header.Set("Mcp-Session-Id", c.session)
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	answer.Body.Close()
	return answer.StatusCode
}

var processID = regexp.MustCompile("proc_[0-9a-f]+")

// flood starts a process that has printed more than the kernel takes of an answer that
// nobody reads.
func (c *httpClient) flood(t *testing.T, s *Server) (id string) {
	_, text := c.post(t, toolCall(1, "start_process", "command", `yes '"""""""' | head -c 1000000; exec sleep 1000`))
	id = processID.FindString(text)
	require.NotEmpty(t, id, text)
	ctx := testkit.Within(t)
	testkit.Eventually(t, func(c *assert.CollectT) {
		info, err := s.engine.Info(ctx, id)
		assert.NoError(c, err)
		assert.EqualValues(c, 1_000_000, info.OutputBytes)
	})
	return id
}

// begins reads the beginning of an answer, so that it is being written.
func begins(t testing.TB, conn net.Conn) {
	t.Helper()
	conn.SetReadDeadline(time.Now().Add(testkit.Patience))
	for in := bufio.NewReaderSize(conn, 16); ; {
		line, err := in.ReadString('\n')
		require.NoError(t, err)
		if strings.HasPrefix(line, "event: ") {
			return
		}
	}
}

// An answer that is not read holds nothing up, and for a time only.
func TestUnreadAnswer(t *testing.T) {
	testkit.Needs(t, "yes")
	for name, ends := range map[string]func(t *testing.T, c *httpClient){
		"the session is ended": func(t *testing.T, c *httpClient) {
			begun := time.Now()
			require.Equal(t, 204, c.delete(t))
			require.Less(t, time.Since(begun), writePatience, "it need not wait for who does not read")
		},
		"the session is idle": func(*testing.T, *httpClient) {},
		"others go on": func(t *testing.T, c *httpClient) {
			status, text := c.post(t, toolCall(3, "list_processes"))
			require.Equal(t, 200, status)
			require.Contains(t, text, "proc_")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, Options{Idle: time.Second})
			c := newHTTPClient(t, s)
			id := c.flood(t, s)
			conn := c.open(t, toolCall(2, "get_process_output", "process_id", id, "max_bytes", 1<<20))
			begins(t, conn)
			ends(t, c)
			forgotten(t, s, id) // with its session
			status, _ := c.post(t, toolCall(4, "list_processes"))
			require.Equal(t, 404, status)
		})
	}
}

// A request ends whose client has vanished.
func TestVanishedRequests(t *testing.T) {
	s := newServer(t, Options{})
	c := newHTTPClient(t, s)
	_, text := c.post(t, toolCall(1, "start_process", "command", "exec sleep 1000", "stdin", true))
	id := processID.FindString(text)
	c.post(t, toolCall(2, "get_process_info", "process_id", id))
	before := runtime.NumGoroutine()
	var conns []io.Closer
	for i := range 200 {
		call := toolCall(10+i, "wait_for_process", "process_id", id)
		switch i % 4 {
		case 1:
			call = toolCall(10+i, "get_process_output", "process_id", id, "wait_seconds", 1000)
		case 2:
			call = toolCall(10+i, "get_process_output", "process_id", id, "wait_seconds", 1000, "filter_lines", "x")
		}
		conns = append(conns, c.open(t, call))
	}
	testkit.Eventually(t, func(c *assert.CollectT) { assert.Equal(c, len(conns), s.arrivals.calls(), "calls that wait") })
	for _, conn := range conns {
		conn.Close()
	}
	testkit.Eventually(t, func(c *assert.CollectT) {
		assert.Zero(c, s.arrivals.calls(), "calls whose clients have vanished")
		assert.LessOrEqual(c, runtime.NumGoroutine(), before+5, "goroutines")
	})
	assert.Empty(t, s.arrivals.queues.of)
	status, _ := c.post(t, toolCall(3, "get_process_info", "process_id", id))
	require.Equal(t, 200, status, "the session goes on")
}

// calls is how many are under way.
func (s *arrivals) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byNumber)
}

// A start whose client vanishes, or cancels it, before the answer leaves no process.
func TestVanishedStart(t *testing.T) {
	s := newServer(t, Options{})
	c := newHTTPClient(t, s)
	processes := func(holds func(t assert.TestingT, object any, msgAndArgs ...any) bool) {
		t.Helper()
		ctx := testkit.Within(t)
		testkit.Eventually(t, func(c *assert.CollectT) {
			list, err := s.engine.List(ctx)
			assert.NoError(c, err)
			holds(c, list, "the processes")
		})
	}
	for i := range 30 {
		conn := c.open(t, toolCall(i, "run_command", "command", "exec sleep 1000", "yield_seconds", 1000))
		processes(assert.NotEmpty)
		if i%2 == 0 {
			c.post(t, fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%d}}`, i))
		} else {
			conn.Close()
		}
		processes(assert.Empty)
	}
	for i := range 100 { // right behind the request
		c.open(t, toolCall(100+i, "run_command", "command", "exec sleep 1000", "yield_seconds", 1000)).Close()
	}
	testkit.Eventually(t, func(c *assert.CollectT) { assert.Zero(c, s.arrivals.calls(), "calls that are under way") })
	processes(assert.Empty)
}

// A client that reads slowly, and steadily, is not cut, and who does not read does not hold up
// small answers.
func TestSlowReaders(t *testing.T) {
	testkit.Needs(t, "yes")
	s := newServer(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, l, HTTPOptions{}) }()
	c := &httpClient{url: "http://" + l.Addr().String() + Path}
	_, _, c.session = post(t, http.DefaultClient, c.url, initialize)
	c.post(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	id := c.flood(t, s)
	slow := c.open(t, toolCall(2, "get_process_output", "process_id", id, "max_bytes", 400_000))
	begins(t, slow)
	for i := range 5 {
		c.open(t, toolCall(3+i, "get_process_output", "process_id", id, "max_bytes", 1<<20))
	}
	begun, all, asked, end := time.Now(), 0, 0, ""
	slow.SetReadDeadline(begun.Add(testkit.Patience))
	for piece := make([]byte, 64<<10); ; time.Sleep(time.Millisecond) { // it reads slowly
		n, err := slow.Read(piece)
		require.NoError(t, err)
		all += n
		if end += string(piece[:n]); strings.HasSuffix(end, "\r\n0\r\n\r\n") {
			break
		}
		end = end[max(0, len(end)-8):]
		if all/(64<<10) > asked {
			asked++
			status, text := c.post(t, toolCall(100, "get_process_output", "process_id", id, "max_bytes", 1000))
			require.Equal(t, 200, status)
			require.Contains(t, text, "next_cursor")
		}
	}
	t.Logf("%d bytes in %v", all, time.Since(begun))
	require.Greater(t, all, 2_000_000)
	cancel()
	require.NoError(t, <-served)
}

// A request that meets the end of its idle session is answered, or told that there is none.
func TestIdleMeetsARequest(t *testing.T) {
	const idle = 50 * time.Millisecond
	s := newServer(t, Options{Idle: idle})
	for i := range 30 {
		c := newHTTPClient(t, s)
		time.Sleep(idle - 7*time.Millisecond + time.Duration(i)*time.Millisecond/2) // what races is the point
		if status, text := c.post(t, toolCall(1, "list_processes")); status == 200 {
			require.Contains(t, text, "There are no processes.")
		} else {
			require.Equal(t, 404, status)
		}
	}
}

// An arrival is answered or cancelled, whatever comes first, and never both.
func TestAnsweredOrCancelled(t *testing.T) {
	for range 1000 {
		var all arrivals
		a := all.take(context.Background(), "session", asked{id: "n1", tool: "start_process"})
		undone := make(chan struct{})
		a.onCancel(func() { close(undone) })
		a.done()
		go all.named("session", "n1").cancel()
		err := a.answer()
		a.leave()
		if err != nil {
			<-undone
			continue
		}
		require.False(t, isClosed(undone))
	}
}

// What reserves room after its client has vanished gives it back, whatever comes first.
func TestNoRoomIsLostToWhoVanishes(t *testing.T) {
	var all arrivals
	for range 1000 {
		a := all.take(context.Background(), "session", asked{id: "n1", tool: "get_process_output"})
		left := make(chan struct{})
		go func() {
			defer close(left)
			a.leave()
		}()
		a.hold(testkit.Within(t), MaxTextLimit)
		<-left
	}
	require.Empty(t, all.budget.large.sessions)
}

package mcpserver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}`

// post sends body with headers (name, value, …), of which Host is one.
func post(t testing.TB, client *http.Client, url, body string, headers ...string) (status int, text string, session string) {
	t.Helper()
	r, err := http.NewRequestWithContext(testkit.Within(t), http.MethodPost, url, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	for i := 0; i < len(headers); i += 2 {
		if headers[i] == "Host" {
			r.Host = headers[i+1]
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	answer, err := client.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, string(all), answer.Header.Get("Mcp-Session-Id")
}

func TestHTTPRefuses(t *testing.T) {
	s := newServer(t, Options{MaxMessage: 10_000})
	h := httptest.NewServer(s.Handler(HTTPOptions{Token: "secret", Loopback: true}))
	defer h.Close()
	defer s.Close()
	address := h.Listener.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	const right = "Bearer secret"
	for _, test := range []struct {
		name    string
		headers []string
		status  int
	}{
		{"the token", []string{"Authorization", right}, 200},
		{"the scheme in lower case", []string{"Authorization", "bearer secret"}, 200},
		{"no token", nil, 401},
		{"another token", []string{"Authorization", "Bearer wrong!"}, 401},
		{"a longer token", []string{"Authorization", right + "s"}, 401},
		{"another scheme", []string{"Authorization", "Basic secret"}, 401},
		{"the token alone", []string{"Authorization", "secret"}, 401},
		{"a page of another origin", []string{"Authorization", right, "Origin", "http://evil.example"}, 403},
		{"a page of another port", []string{"Authorization", right, "Origin", "http://127.0.0.1:1"}, 403},
		{"a page of no origin", []string{"Authorization", right, "Origin", "null"}, 403},
		{"two origins", []string{"Authorization", right, "Origin", "http://" + address, "Origin", "http://evil.example"}, 403},
		{"a page of the server", []string{"Authorization", right, "Origin", "http://" + address}, 200},
		{"a name that was rebound", []string{"Authorization", right, "Host", "evil.example:" + port}, 403},
		{"a name that was rebound, and its page", []string{"Authorization", right, "Host", "evil.example:" + port, "Origin", "http://evil.example:" + port}, 403},
		{"another address", []string{"Authorization", right, "Host", "192.0.2.1:" + port}, 403},
		{"localhost", []string{"Authorization", right, "Host", "localhost:" + port}, 200},
	} {
		status, text, _ := post(t, h.Client(), h.URL+Path, initialize, test.headers...)
		assert.Equal(t, test.status, status, "%s: %s", test.name, text)
	}
	_, _, session := post(t, h.Client(), h.URL+Path, initialize, "Authorization", right)
	for _, test := range []struct {
		body   string
		status int
		text   string
	}{
		{"{", 400, "malformed payload"},
		{"", 400, "non-empty body"},
		{"17", 400, "malformed payload"},
		{`{"jsonrpc":"2.0","id":1}`, 202, ""}, // an answer to nothing
		{`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, 400, "batching is not supported"},
		{strings.Repeat("x", 10_001), 413, "longer than the 10000 bytes"},
		{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, 200, `"id":1,"result":{}`},
		{`{"jsonrpc":"2.0","id":1.5,"method":"ping"}`, 400, `"id":null`},
		{`{"jsonrpc":"2.0","id":null,"method":"ping"}`, 400, "id is null; it must be"},
		{`[{"jsonrpc":"2.0","id":1.5,"method":"ping"}]`, 400, "id is 1.5; it must be"},
	} {
		status, text, _ := post(t, h.Client(), h.URL+Path, test.body, "Authorization", right, "Mcp-Session-Id", session, "Mcp-Protocol-Version", "2025-11-25")
		assert.Equal(t, test.status, status, "%.50s: %s", test.body, text)
		assert.Contains(t, text, test.text, "%.50s", test.body)
	}
	status, _, _ := post(t, h.Client(), h.URL+"/elsewhere", initialize, "Authorization", right)
	assert.Equal(t, 404, status, "elsewhere")
	status, _, session = post(t, h.Client(), h.URL, initialize, "Authorization", right)
	assert.Equal(t, 200, status, "at the root")
	assert.NotEmpty(t, session, "at the root")
}

// TestHosts: the names of HTTPOptions.Hosts are those of the server, on loopback
// addresses too.
func TestHosts(t *testing.T) {
	s := newServer(t, Options{})
	h := httptest.NewServer(s.Handler(HTTPOptions{Hosts: []string{"build.example"}, Loopback: true}))
	defer h.Close()
	defer s.Close()
	for host, want := range map[string]int{
		"build.example":          200,
		"build.example:8642":     200,
		"BUILD.example":          200,
		"localhost":              200,
		"LOCALHOST:1":            200,
		"127.0.0.1":              200,
		"127.1.2.3":              200,
		"[::1]:80":               200,
		"evil.example":           403,
		"build.example.evil":     403,
		"evil.build.example":     403,
		"localhost.evil.example": 403,
		"127.0.0.1.evil.example": 403,
		"evil.example:127.0.0.1": 403,
		"0.0.0.0":                403,
		"192.0.2.1":              403,
	} {
		status, text, _ := post(t, h.Client(), h.URL+Path, initialize, "Host", host)
		assert.Equal(t, want, status, "%s: %s", host, text)
	}
}

func TestHostAllowed(t *testing.T) {
	for _, test := range []struct {
		o    HTTPOptions
		host string
		want bool
	}{
		{HTTPOptions{Loopback: true}, "localhost", true},
		{HTTPOptions{Loopback: true}, "LOCALHOST:80", true},
		{HTTPOptions{Loopback: true}, "127.0.0.1:80", true},
		{HTTPOptions{Loopback: true}, "[::1]:80", true},
		{HTTPOptions{Loopback: true}, "[::1]", true},
		{HTTPOptions{Loopback: true}, "[::ffff:127.0.0.1]:80", true},
		{HTTPOptions{Loopback: true}, "10.0.0.1:80", false},
		{HTTPOptions{Loopback: true}, "localhost.evil.example", false},
		{HTTPOptions{Loopback: true}, "127.0.0.1.evil.example", false},
		{HTTPOptions{Loopback: true}, "", false},
		{HTTPOptions{}, "10.0.0.1:80", true},
		{HTTPOptions{}, "build.example", false},
		{HTTPOptions{Hosts: []string{"build.example"}}, "Build.example:80", true},
	} {
		assert.Equal(t, test.want, test.o.hostAllowed(test.host), "%+v, %q", test.o, test.host)
	}
}

// TestHTTPSessions: a client sees its own processes only, and they end when it
// ends its session, even while it waits.
func TestHTTPSessions(t *testing.T) {
	s := newServer(t, Options{}, procession.WithMaxProcesses(2))
	transport := overHTTP(t, s)
	a := connect(t, transport)
	b := connect(t, &mcp.StreamableClientTransport{Endpoint: transport.Endpoint, HTTPClient: transport.HTTPClient})
	mine, other := a.start("exec sleep 1000"), b.start("exec sleep 1000")
	for _, tool := range []string{"get_process_output", "wait_for_process", "kill_process", "release_process", "get_process_info"} {
		a.fail(tool, arguments{"process_id": other}, `no process "`+other+`"`, mine)
	}
	_, r := a.do("list_processes", nil)
	assert.Equal(t, []string{mine}, idsOf(r), "what a sees")
	a.fail("start_process", arguments{"command": "true"}, "2 processes run already", "kill_process", mine)

	params := &mcp.CallToolParams{Name: "wait_for_process", Arguments: arguments{"process_id": mine}}
	params.SetProgressToken("wait")
	waited := make(chan error, 1)
	go func() {
		_, err := a.CallTool(testkit.Within(t), params)
		waited <- err
	}()
	<-a.progress
	session := s.sessionByID(a.ID())
	request, _ := http.NewRequestWithContext(testkit.Within(t), http.MethodDelete, transport.Endpoint, nil)
	request.Header.Set("Mcp-Session-Id", a.ID())
	answer, err := transport.HTTPClient.Do(request)
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, 204, answer.StatusCode)
	<-waited
	_, err = s.engine.Info(testkit.Within(t), mine)
	assert.ErrorIs(t, err, procession.ErrNotFound, "the process of a session that was ended")
	_, err = session.start(testkit.Within(t), procession.Shell("true"))
	assert.Equal(t, errSessionEnded, err)
	_, r = b.do("get_process_info", arguments{"process_id": other})
	expect(t, r, arguments{"state": "running"})
}

// TestHTTPIdle: a session ends when it has made no request for some time, also
// if a call is still waiting whose client has vanished.
func TestHTTPIdle(t *testing.T) {
	const idle = time.Second
	s := newServer(t, Options{Idle: idle})
	transport := overHTTP(t, s)
	c := connect(t, transport)
	id := c.start("exec sleep 1000")
	begin := time.Now()
	for time.Since(begin) < 2*idle { // a call that takes longer keeps it alive, and so do calls in a row
		_, r := c.do("wait_for_process", arguments{"process_id": id, "timeout_seconds": (idle * 5 / 4).Seconds()})
		expect(t, r, arguments{"state": "running"})
	}
	params := &mcp.CallToolParams{Name: "wait_for_process", Arguments: arguments{"process_id": id}}
	params.SetProgressToken("wait")
	go c.CallTool(testkit.Within(t), params)
	<-c.progress
	transport.HTTPClient.Transport.(*cuttable).cut()
	forgotten(t, s, id)
	testkit.Eventually(t, func(c *assert.CollectT) {
		s.mu.Lock()
		defer s.mu.Unlock()
		assert.Empty(c, s.sessions)
	})
	_, err := c.CallTool(testkit.Within(t), &mcp.CallToolParams{Name: "list_processes"})
	assert.Error(t, err, "a call in a session that has expired")
}

// TestHTTPStalledBody: a request that does not come to its end is no sign of life,
// and is given up.
func TestHTTPStalledBody(t *testing.T) {
	s := newServer(t, Options{Idle: time.Second})
	h := httptest.NewServer(s.Handler(HTTPOptions{Loopback: true}))
	defer h.Close()
	defer s.Close()
	_, _, session := post(t, h.Client(), h.URL+Path, initialize)
	label := s.sessionByID(session)
	id, err := label.start(testkit.Within(t), procession.Shell("exec sleep 1000"))
	require.NoError(t, err)
	conn, err := net.Dial("tcp", h.Listener.Addr().String())
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"+
		"Mcp-Session-Id: %s\r\nContent-Length: 100\r\n\r\n{", Path, session)
	forgotten(t, s, id) // with its session
	conn.SetReadDeadline(time.Now().Add(testkit.Patience))
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestTimeout, answer.StatusCode)
}

// TestServe: only with a token can others reach it; it ends with its context,
// also if clients are waiting.
func TestServe(t *testing.T) {
	s := newServer(t, Options{})
	open, err := net.Listen("tcp", "0.0.0.0:0")
	require.NoError(t, err)
	assert.ErrorContains(t, s.Serve(context.Background(), open, HTTPOptions{}), "token", "without a token")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l, HTTPOptions{}) }()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	c := connect(t, &mcp.StreamableClientTransport{Endpoint: "http://" + l.Addr().String() + Path, HTTPClient: client, MaxRetries: -1})
	id := c.start("exec sleep 1000")
	params := &mcp.CallToolParams{Name: "wait_for_process", Arguments: arguments{"process_id": id}}
	params.SetProgressToken("wait")
	waited := make(chan error, 1)
	go func() {
		_, err := c.CallTool(testkit.Within(t), params)
		waited <- err
	}()
	<-c.progress
	cancel()
	select {
	case err := <-ended:
		assert.NoError(t, err)
	case <-time.After(testkit.Patience):
		require.Fail(t, "it does not end")
	}
	<-waited
	noProcesses(t, s)
}

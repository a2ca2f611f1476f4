package mcpserver

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// helperHTTP makes the helper a server over HTTP, that prints its URL.
const helperHTTP = "MCPSERVER_TEST_HTTP"

func serveHTTP(ctx context.Context, s *Server) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Printf("http://%v%s\n", l.Addr(), Path)
	s.Serve(ctx, l, HTTPOptions{})
}

// TestMemoryOfAnswersToManySessions: 100 large answers at once, asked for by 20 sessions that
// begin to read when all have asked, take little memory.
func TestMemoryOfAnswersToManySessions(t *testing.T) {
	const sessions, each = 20, 5
	testkit.Needs(t, "yes")
	if raceEnabled {
		t.Skip("the race detector has memory of its own")
	}
	// Half of what has to be escaped waits for its reader while the next one is made.
	most := map[string]int{"text": 64 << 20, "quotes": 96 << 20}
	for name, line := range map[string]string{
		"text":   `yes "a line of a log, as long as they are" | head -c 1000000`,
		"quotes": `yes '""""""""' | head -c 1000000`,
	} {
		t.Run(name, func(t *testing.T) {
			cmd := helperCommand(engineName())
			cmd.Env = append(cmd.Env, helperHTTP+"=1")
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			t.Cleanup(func() {
				cmd.Process.Kill()
				cmd.Wait()
			})
			url, err := bufio.NewReader(out).ReadString('\n')
			require.NoError(t, err)
			var ids []string
			var clients []*httpClient
			for range sessions {
				c := &httpClient{url: strings.TrimSpace(url)}
				_, _, c.session = post(t, http.DefaultClient, c.url, initialize)
				c.post(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)
				_, text := c.post(t, toolCall(1, "run_command", "command", line, "max_bytes", 100))
				clients, ids = append(clients, c), append(ids, processID.FindString(text))
			}
			before := residentMost(t, cmd.Process.Pid)
			var answers []net.Conn
			for i, c := range clients {
				for n := range each {
					answers = append(answers, c.open(t, toolCall(n+2, "get_process_output", "process_id", ids[i], "max_bytes", 1<<20)))
				}
			}
			var all sync.WaitGroup
			for _, conn := range answers {
				all.Go(func() {
					response, err := http.ReadResponse(bufio.NewReader(conn), nil)
					if !assert.NoError(t, err) {
						return
					}
					defer response.Body.Close()
					text, err := io.ReadAll(response.Body)
					assert.NoError(t, err)
					assert.Greater(t, len(text), 2_000_000)
					assert.True(t, bytes.Contains(text, []byte("next_cursor")), "it is the output")
				})
			}
			all.Wait()
			more := residentMost(t, cmd.Process.Pid) - before
			t.Logf("%d MiB more than %d", more>>20, before>>20)
			assert.Less(t, more, most[name])
		})
	}
}

//go:build linux

package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// visitors is how many clients there are at the same time.
const visitors = 50

// slack is how many kilobytes more on its heap the server may have: its tables are as
// large as they have ever had to be.
const slack = 4096

// TestClients: 50 clients come to one server over HTTP, and to servers of their own
// on stdio. They start processes, talk to them, and end their sessions, vanish, stall
// or die; then they come back. When they are all gone there is no process, and the
// server over HTTP has no goroutine, descriptor or megabyte more than at the beginning.
// One client stays: what its calls leave behind does not end with its session.
func TestClients(t *testing.T) {
	testkit.Needs(t, "setsid")
	name := fmt.Sprintf("procession-soak-clients-%d", os.Getpid())
	s := startServer(t, name+"-http")
	r := newRegular(t, s)
	measure := func() usage {
		r.list()
		return s.measure()
	}
	length := time.Duration(soak)
	s.come(r, name+"-warm", min(max(length/4, time.Second), 10*time.Second))
	r.alone(t, name)
	before := settled(measure, idle+lingering)
	s.come(r, name, length)
	r.alone(t, name)
	after := measure()
	// Not by EventuallyWithT: a server that does not answer ends the test's own goroutine.
	for begin := time.Now(); after.beyond(before, slack) != "" && time.Since(begin) < testkit.Patience; time.Sleep(tick) {
		after = measure()
	}
	t.Logf("the server over HTTP: before %+v, after %+v; who stayed: %v", before, after, r.counts)
	if !assert.Empty(t, after.beyond(before, slack), "is left") {
		s.ask("goroutines")
	}
	r.try("ended", r.end)
	assert.Empty(t, r.unexpected, "unexpected, of who stayed")
}

// come has the clients come for that time, and waits until all are gone but r.
func (s *server) come(r *regular, name string, length time.Duration) {
	t := s.t
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), length)
	defer cancel()
	clients := make([]*client, visitors)
	var all sync.WaitGroup
	for i := range clients {
		c := newClient(s.url, s.engine, i)
		if i%2 == 0 {
			c = newClient("", fmt.Sprintf("%s-%d", name, i), i)
		}
		clients[i] = c
		all.Go(func() {
			for ctx.Err() == nil {
				c.visit(ctx)
			}
		})
	}
	left := make(chan struct{})
	go func() {
		all.Wait()
		close(left)
	}()
	r.stay(left)
	sum := deeds{counts: map[string]int{}}
	for _, c := range clients {
		sum.add(c.deeds)
	}
	t.Logf("in %v: %v", length, sum.counts)
	assert.Empty(t, sum.unexpected, "unexpected")
	assert.NotZero(t, sum.counts["started"])
}

// server is the server over HTTP, a process of its own.
type server struct {
	t           *testing.T
	engine, url string
	stdin       io.Writer
	stdout      *bufio.Reader
}

func startServer(t *testing.T, engine string) *server {
	t.Helper()
	cmd := play("http", engine)
	stdin, err := cmd.StdinPipe()
	require.NoError(t, err)
	stdout, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { ends(t, cmd, stdin) })
	s := &server{t: t, engine: engine, stdin: stdin, stdout: bufio.NewReader(stdout)}
	s.url = s.line()
	return s
}

// ends hangs up, upon which the server must end.
func ends(t *testing.T, cmd *exec.Cmd, stdin io.Closer) {
	stdin.Close()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		assert.NoError(t, err, "the server over HTTP")
	case <-time.After(testkit.Patience):
		assert.Fail(t, "the server over HTTP does not end")
		cmd.Process.Kill()
		<-ended
	}
}

func (s *server) line() string {
	line, err := s.stdout.ReadString('\n')
	require.NoError(s.t, err, "the server over HTTP has ended")
	return strings.TrimSpace(line)
}

// ask asks the server what it has.
func (s *server) ask(how string) (u usage) {
	_, err := io.WriteString(s.stdin, how+"\n")
	require.NoError(s.t, err)
	require.NoError(s.t, json.Unmarshal([]byte(s.line()), &u))
	return u
}

func (s *server) measure() usage { return s.ask("usage") }

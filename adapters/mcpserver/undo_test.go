package mcpserver

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// TestCancelledStart: at whatever moment the call of a start ends, its process is gone when
// the error is there.
func TestCancelledStart(t *testing.T) {
	s := newServer(t, Options{})
	c := connect(t, overHTTP(t, s))
	c.do("list_processes", nil)
	session := slices.Collect(maps.Values(s.sessions))[0]
	start := startParams{Command: "sleep 1000 & exec sleep 1000"}
	for name, tool := range map[string]func(call) error{
		"start_process": func(c call) error { _, _, err := session.startProcess(c, start); return err },
		"run_command": func(c call) error {
			_, _, err := session.runCommand(c, runParams{startParams: start, Input: strings.Repeat("x", 90_000)})
			return err
		},
		"a program": func(c call) error {
			_, _, err := session.startProcess(c, startParams{Command: "sleep", Args: []string{"1000"}, PTY: true})
			return err
		},
	} {
		var calls sync.WaitGroup
		var cancelled atomic.Int64
		for i := range 60 {
			calls.Go(func() {
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(time.Duration(i)*time.Millisecond/2, cancel)
				err := tool(call{Context: ctx, CallToolRequest: &mcp.CallToolRequest{Params: &mcp.CallToolParamsRaw{}}})
				if err != nil && assert.ErrorIs(t, err, context.Canceled) {
					cancelled.Add(1)
				}
			})
		}
		calls.Wait()
		left, err := session.list(testkit.Within(t))
		require.NoError(t, err)
		assert.Len(t, left, 60-int(cancelled.Load()), name)
		assert.NotZero(t, cancelled.Load(), name)
		_, err = s.engine.ReleaseAll(testkit.Within(t), session.selector())
		require.NoError(t, err)
	}
}

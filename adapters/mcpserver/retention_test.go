package mcpserver

import (
	"slices"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
)

func TestSurplus(t *testing.T) {
	ended := func(id string, second int64) procession.Info {
		return procession.Info{ID: id, Exit: &procession.Exit{Time: time.Unix(second, 0)}}
	}
	processes := []procession.Info{ended("b", 2), {ID: "runs"}, ended("d", 4), ended("a", 1), ended("c", 3)}
	for limit, want := range [][]string{{"a", "b", "c", "d"}, {"a", "b", "c"}, {"a", "b"}, {"a"}, nil, nil} {
		assert.Equal(t, want, surplus(processes, limit), "%d", limit)
	}
}

// TestRetention: a session has its newest results, whatever others do.
func TestRetention(t *testing.T) {
	s := newServer(t, Options{Retention: 3}, procession.WithRetention(-1, 0))
	transport := overHTTP(t, s)
	a := connect(t, transport)
	b := connect(t, &mcp.StreamableClientTransport{Endpoint: transport.Endpoint, HTTPClient: transport.HTTPClient})
	mine := b.start("echo mine")
	b.wait(mine)
	running := a.start("exec sleep 1000")
	var ids []string
	for range 8 {
		id := a.start("echo x")
		a.wait(id)
		ids = append(ids, id)
	}
	last := a.start("exec sleep 1000")
	_, r := a.do("list_processes", nil)
	assert.Equal(t, slices.Concat([]string{running}, ids[5:], []string{last}), idsOf(r))
	a.fail("get_process_output", arguments{"process_id": ids[4]}, "no process")
	expect(t, b.wait(mine), arguments{"output": "mine\n"})
}

// idsOf are the processes of a list.
func idsOf(list map[string]any) (ids []string) {
	all, _ := list["processes"].([]any)
	for _, p := range all {
		ids = append(ids, p.(map[string]any)["process_id"].(string))
	}
	return ids
}

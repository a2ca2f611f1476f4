//go:build linux

package mcpserver

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// A model is told if the output was not awaited to its end.
func TestCutOutputIsTold(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	for line, cut := range map[string]bool{
		"echo hi; sleep 1000 &":                 true,
		"echo hi; setsid sleep 1000 &":          true,
		"echo hi; sleep 1000 >/dev/null 2>&1 &": false,
		"echo hi":                               false,
	} {
		id := c.start(line)
		for _, tool := range []string{"wait_for_process", "get_process_output", "get_process_info"} {
			text, r := c.do(tool, arguments{"process_id": id})
			assert.Equal(t, cut, r["output_cut"], "%s: %s", tool, line)
			if cut {
				assert.Contains(t, text, cutText, tool)
			} else {
				assert.NotContains(t, text, cutText, tool)
			}
		}
	}
	running := c.start("exec sleep 1000")
	_, r := c.do("get_process_output", arguments{"process_id": running})
	assert.Equal(t, false, r["output_cut"])
	flood := c.start("exec yes") // which never waits for its readers
	c.do("kill_process", arguments{"process_id": flood})
	text, r := c.do("get_process_output", arguments{"process_id": flood})
	assert.Equal(t, false, r["output_cut"])
	assert.NotContains(t, text, cutText)
}

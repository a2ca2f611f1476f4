package mcpserver

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

// residentMost is the most memory that a process has had, in bytes (VmHWM, proc_pid_status(5)).
func residentMost(t testing.TB, pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	require.NoError(t, err)
	kib := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, kib)
	n, err := strconv.Atoi(string(kib[1]))
	require.NoError(t, err)
	return n << 10
}

// TestMemoryOfAnswers: many large answers at once take little memory, although the client
// asks for all of them before it reads the first.
func TestMemoryOfAnswers(t *testing.T) {
	testkit.Needs(t, "yes")
	answers := 30
	if raceEnabled { // where memory tells nothing
		answers = 3
	}
	for name, line := range map[string]string{
		"text":   `yes "a line of a log, as long as they are" | head -c 1000000`,
		"quotes": `yes '""""""""' | head -c 1000000`,
	} {
		t.Run(name, func(t *testing.T) {
			p := startServer(t)
			p.initialize(t)
			id := p.begun(t, "command", line)
			p.ask(t, toolCall("wait", "wait_for_process", "process_id", id))
			p.answers(t, "wait")
			before := residentMost(t, p.cmd.Process.Pid)
			var ids []any
			for i := range answers {
				p.ask(t, toolCall(i, "get_process_output", "process_id", id, "max_bytes", 1<<20))
				ids = append(ids, i)
			}
			for _, r := range p.answers(t, ids...) {
				require.Len(t, r.StructuredContent["output"], 1_000_000)
				r.StructuredContent = nil
			}
			more := residentMost(t, p.cmd.Process.Pid) - before
			t.Logf("%d MiB more than %d", more>>20, before>>20)
			if !raceEnabled {
				require.Less(t, more, 64<<20)
			}
		})
	}
}

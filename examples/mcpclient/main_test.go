package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestREADME runs the check of README.md: one command lists the tools of
// procession mcp and runs a command through it.
func TestREADME(t *testing.T) {
	for _, name := range []string{"README.md", "docs/agents.md"} {
		text, err := os.ReadFile("../../" + name)
		require.NoError(t, err)
		assert.True(t, strings.Contains(string(text), "\ngo run ./examples/mcpclient"), "%s has another command", name)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "./examples/mcpclient")
	cmd.Dir = "../.."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s%s", out, stderr.String())
	tools, process, found := strings.Cut(string(out), "\n\n")
	require.True(t, found, "it prints %s", out)
	for _, name := range []string{"run_command", "start_process", "get_process_output", "wait_for_process", "wait_for_output", "send_input",
		"signal_process", "kill_process", "release_process", "list_processes", "get_process_info"} {
		assert.Contains(t, "\n"+tools, "\n"+name+" ")
	}
	assert.Equal(t, 11, strings.Count(tools, "\n")+1, "it lists\n%s", tools)
	for _, want := range []string{"run_command\nproc_", "has exited, exit status 0", "\nhello from a process\n"} {
		assert.Contains(t, process, want)
	}
}

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestREADME runs the check of README.md: one command lists the tools of
// procession mcp and runs a command through it.
func TestREADME(t *testing.T) {
	for _, name := range []string{"README.md", "docs/agents.md"} {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "\ngo run ./examples/mcpclient") {
			t.Errorf("%s has another command", name)
		}
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", "./examples/mcpclient")
	cmd.Dir = "../.."
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.String())
	}
	tools, process, found := strings.Cut(string(out), "\n\n")
	if !found {
		t.Fatalf("it prints %s", out)
	}
	for _, name := range []string{"run_command", "start_process", "get_process_output", "wait_for_process", "wait_for_output", "send_input",
		"signal_process", "kill_process", "release_process", "list_processes", "get_process_info"} {
		if !strings.Contains("\n"+tools, "\n"+name+" ") {
			t.Errorf("it does not list %s", name)
		}
	}
	if n := strings.Count(tools, "\n") + 1; n != 11 {
		t.Errorf("it lists %d tools", n)
	}
	for _, want := range []string{"run_command\nproc_", "has exited, exit status 0", "\nhello from a process\n"} {
		if !strings.Contains(process, want) {
			t.Errorf("%q is missing in %s", want, process)
		}
	}
}

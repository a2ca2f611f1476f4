//go:build unix

package up_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
)

// What was ready is so for those who depend on it, however soon it has ended.
func TestUpStartsWhatDependsOnWhatWasReady(t *testing.T) {
	for name, ready := range map[string]string{
		"a line":             `{command: [/bin/echo, ready], ready: {pattern: ready}}`,
		"on stderr, failing": `{command: 'echo ready >&2; exit 3', ready: {pattern: ready}}`,
		"on a terminal":      `{command: [/bin/echo, ready], pty: true, ready: {pattern: ready}}`,
	} {
		t.Run(name, func(t *testing.T) {
			const n = 40
			var processes strings.Builder
			for i := range n {
				fmt.Fprintf(&processes, "  a%d: %s\n  b%d: {command: [/bin/echo, came], depends_on: {a%d: ready}}\n", i, ready, i, i)
			}
			r := clitest.Run(t, "up", "--keep-going", clitest.PoolYAML(t, "processes:\n"+processes.String()))
			assert.Equal(t, n, strings.Count(r.Stdout, "| came\n"), r.Stderr)
			assert.NotContains(t, r.Stderr, "not started")
		})
	}
}

// That a process is given up is told, and is a failure, whatever it has returned.
func TestUpTellsWhatItGivesUp(t *testing.T) {
	const quick = "max_restarts: 2, min_backoff: 1ms, max_backoff: 2ms"
	for name, test := range map[string]struct {
		command string
		restart string
		code    int
		says    string
	}{
		"always, returns 0": {`exit 0`, "always", 1, `a exited: exit status 0, and gave up after 2 restarts$`},
		"always, fails":     {`exit 4`, "always", 4, `a exited: exit status 4, and gave up after 2 restarts$`},
		"on failure":        {`kill -9 $$`, "on-failure", 137, `a exited: signal: SIGKILL, and gave up after 2 restarts$`},
		"gone":              {`[./program, 'rm program; exit 0']`, "always", 127, `a not started again: start "./program": no such file or directory, and gave up after 2 restarts$`},
		"not executable":    {`[./program, 'chmod -x program; exit 0']`, "always", 126, `a not started again: start "./program": permission denied, and gave up after 2 restarts$`},
		"no directory":      {`[/bin/sh, -c, 'cd /; rm -r "$OLDPWD"; exit 0']`, "always", 127, `a not started again: stat .*: no such file or directory, and gave up after 2 restarts$`},
	} {
		t.Run(name, func(t *testing.T) {
			file := clitest.PoolYAML(t, "processes:\n  a: {dir: dir, command: "+test.command+", restart: {when: "+test.restart+", "+quick+"}}")
			dir := filepath.Join(filepath.Dir(file), "dir")
			require.NoError(t, os.Mkdir(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "program"), []byte("#!/bin/sh\neval \"$1\"\n"), 0o755))
			r := clitest.Run(t, "up", file)
			assert.Equal(t, test.code, r.Code)
			assert.Regexp(t, "(?m)"+test.says, r.Stderr)
			assert.NotContains(t, r.Stderr, "status -1")
		})
	}
}

// What was stopped first has its last words first, and what is said of it is after
// these, however busy they all are.
func TestUpStopsInOneOrder(t *testing.T) {
	const n = 8
	var processes, want strings.Builder
	for i := range n {
		fmt.Fprintf(&processes, "  p%d: {command: 'trap \"echo bye; echo bye >&2; exit 0\" TERM; echo up; while :; do :; done', ready: {pattern: up}", i)
		if i > 0 {
			fmt.Fprintf(&processes, ", depends_on: {p%d: ready}", i-1)
		}
		processes.WriteString("}\n")
		name := fmt.Sprint("p", n-1-i)
		fmt.Fprintf(&want, "%-6s | bye\n%-6s | bye\nsystem | %s stopped: exit status 0\n", name, name, name)
	}
	for range 2 {
		s := onScreen(t, clitest.PoolYAML(t, "processes:\n"+processes.String()))
		s.Expect(fmt.Sprintf("p%d ready\r\n", n-1))
		s.Cmd.Process.Signal(syscall.SIGTERM)
		s.Expect("stopping; Ctrl-C again to kill\r\n")
		s.Expect(strings.ReplaceAll(want.String(), "\n", "\r\n"))
		s.Ends(0)
	}
}

// A process is started after what it waits for is said, and says nothing before it is
// said to be started, also when it is started again and again.
func TestUpTellsInOneOrder(t *testing.T) {
	for range 3 {
		text, _ := upTogether(t, clitest.PoolYAML(t, `
processes:
  c: {command: echo done, depends_on: {b: exited-successfully}}
  b: {command: 'echo b says', depends_on: {a: ready}}
  a: {command: 'echo a says; sleep 1000', ready: {pattern: says}, depends_on: {r: exited-successfully}}
  r: {command: 'echo x >>tries; wc -l <tries; test $(wc -l <tries) -gt 3', restart: {when: on-failure, min_backoff: 1ms, max_backoff: 2ms}}
`))
		want := `^system \| r started.*
r      \| +1
(system \| r exited: exit status 1, restarting in .*
r      \| +\d
){3}system \| r exited: exit status 0
system \| a started.*
a      \| a says
system \| a ready
system \| b started.*
b      \| b says
system \| b exited: exit status 0
system \| c started.*
c      \| done
system \| c exited: exit status 0; stopping the rest
system \| a stopped: signal: SIGTERM
$`
		assert.Regexp(t, want, text)
	}
}

//go:build unix

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
			r := runCLI(t, "up", "--keep-going", poolYAML(t, "processes:\n"+processes.String()))
			assert.Equal(t, n, strings.Count(r.stdout, "| came\n"), r.stderr)
			assert.NotContains(t, r.stderr, "not started")
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
			file := poolYAML(t, "processes:\n  a: {dir: dir, command: "+test.command+", restart: {when: "+test.restart+", "+quick+"}}")
			dir := filepath.Join(filepath.Dir(file), "dir")
			require.NoError(t, os.Mkdir(dir, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(dir, "program"), []byte("#!/bin/sh\neval \"$1\"\n"), 0o755))
			r := runCLI(t, "up", file)
			assert.Equal(t, test.code, r.code)
			assert.Regexp(t, "(?m)"+test.says, r.stderr)
			assert.NotContains(t, r.stderr, "status -1")
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
		s := onScreen(t, poolYAML(t, "processes:\n"+processes.String()))
		s.expect(fmt.Sprintf("p%d ready\r\n", n-1))
		s.cmd.Process.Signal(syscall.SIGTERM)
		s.expect("stopping; Ctrl-C again to kill\r\n")
		s.expect(strings.ReplaceAll(want.String(), "\n", "\r\n"))
		s.ends(0)
	}
}

// A process is started after what it waits for is said, and says nothing before it is
// said to be started, also when it is started again and again.
func TestUpTellsInOneOrder(t *testing.T) {
	for range 3 {
		text, _ := upTogether(t, poolYAML(t, `
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

// The first signal is heard also if something is being ended already.
func TestTheFirstSignalWhileItEnds(t *testing.T) {
	stubborn := `trap "" TERM; echo on; while :; do sleep 1000 & wait; done`
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"up": {[]string{"up", poolYAML(t, "processes:\n  a: {command: '"+stubborn+"', grace: 1h, ready: {pattern: on}}\n  b: {command: exit 3, depends_on: {a: ready}}")},
			`waiting for a \(at most (59m\d+|1h0m0)s\) to end; Ctrl-C again to kill`},
		"run, a timeout":        {[]string{"run", "--grace", "1h", "--timeout", "100ms", "--name", "a", "--", "sh", "-c", stubborn}, `procession: waiting for a \(at most (59m\d+|1h0m0)s\) to end; Ctrl-C again to kill`},
		"run, what it has left": {[]string{"run", "--grace", "1h", "--name", "a", "--", "sh", "-c", `(` + stubborn + `) >/dev/null & sleep 0.1; echo on`}, `procession: waiting for a \(at most (59m\d+|1h0m0)s\) to end; Ctrl-C again to kill`},
		"run of lines":          {[]string{"run", "--grace", "1h", "--timeout", "100ms", "--name", "a", "--name", "b", stubborn, stubborn}, `procession: waiting for a \(at most .*s\), b \(at most .*s\) to end; Ctrl-C again to kill`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := show(t, cli(t, test.args...))
			s.expect("on")
			says := regexp.MustCompile(test.says)
			if name == "up" {
				s.expect("stopping the rest")
			}
			time.Sleep(500 * time.Millisecond) // nothing tells that it is being ended
			s.key("\x03")
			s.expectMatch(says.String())
			time.Sleep(againAfter) // what comes sooner is not meant again
			s.key("\x03")
			wait(t, s.cmd)
		})
	}
}

//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
)

// Whoever runs a command is told if its output was not awaited to its end.
func TestCutOutputIsTold(t *testing.T) {
	const said = "output of sh was cut: something that it started still held it open"
	for line, told := range map[string]bool{
		"echo hi; sleep 1000 &":                    true,
		"echo hi; sleep 1000 >/dev/null &":         true,
		"echo hi; sleep 1000 >/dev/null 2>&1 &":    false,
		"echo hi; sleep 0.1 &":                     false,
		"echo hi; (sleep 0.1; exec 1>&- 2>&-) & :": false,
	} {
		got := runCLI(t, "run", "--", "sh", "-c", line)
		assert.Equal(t, 0, got.code, line)
		assert.Equal(t, "hi\n", got.stdout, line)
		if told {
			assert.Contains(t, got.stderr, said, line)
		} else {
			assert.Empty(t, got.stderr, line)
		}
	}

	side := runCLI(t, "run", "--name", "sh", "--name", "whole", "echo hi; sleep 1000 &", "echo hi")
	assert.Contains(t, side.stderr, said)
	assert.NotContains(t, side.stderr, "whole")

	pool := runCLI(t, "up", poolFile(t, "Procfile", "left: echo hi; sleep 1000 &\n"))
	assert.Contains(t, pool.stdout+pool.stderr, "exited: exit status 0, output cut: something that it started still held it open")
}

func TestCutText(t *testing.T) {
	for cause := procession.CauseExited; cause <= procession.CauseStartFailed; cause++ {
		want := "it was ended before it had written all"
		if cause == procession.CauseExited {
			want = "something that it started still held it open"
		}
		assert.Equal(t, want, cutText(procession.Exit{Cause: cause, OutputCut: true}), cause)
	}
}

// Of what was ended while it waited for its reader up does not say that something was
// left behind.
func TestUpTellsWhyOutputIsCut(t *testing.T) {
	// It is killed only when no more can wait for the reader.
	const flood = `'trap "" TERM; exec yes', grace: 500ms`
	for name, test := range map[string]struct {
		processes string
		asked     bool
		says      string
	}{
		"another fails": {"{a: {command: " + flood + "}, b: {command: 'until test -e $GO; do sleep 0.05; done; exit 2'}}", false,
			"a stopped: signal: SIGKILL, output cut"},
		"it is asked to end": {"{a: {command: " + flood + "}}", true, "a stopped: signal: SIGKILL, output cut"},
		"its time is over":   {"{a: {command: " + flood + ", timeout: 2s}}", false, "a exited: signal: SIGKILL (timeout), output cut"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			goAhead := filepath.Join(t.TempDir(), "go")
			cmd := cli(t, "up", "--log-dir", dir, poolYAML(t, "processes: "+test.processes))
			cmd.Env = append(cmd.Env, "GO="+goAhead)
			unread, stdout, err := os.Pipe()
			require.NoError(t, err)
			defer unread.Close()
			stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
			require.NoError(t, err)
			defer stderr.Close()
			cmd.Stdout, cmd.Stderr = stdout, stderr
			require.NoError(t, cmd.Start())
			stdout.Close()
			until(t, "its reader is waited for", func() bool {
				var size int64
				logs, _ := filepath.Glob(filepath.Join(dir, "a*.log"))
				for _, log := range logs {
					if info, err := os.Stat(log); err == nil {
						size += info.Size()
					}
				}
				return size >= fullAt
			})
			require.NoError(t, os.WriteFile(goAhead, nil, 0o600))
			said := func() string {
				text, _ := os.ReadFile(stderr.Name())
				return string(text)
			}
			var pid int
			_, began, _ := strings.Cut(said(), "a started (pid ")
			fmt.Sscanf(began, "%d", &pid)
			require.NotZero(t, pid, said())
			if test.asked {
				cmd.Process.Signal(syscall.SIGTERM)
			}
			until(t, "it is gone", func() bool { return syscall.Kill(pid, 0) != nil })
			if !test.asked {
				cmd.Process.Signal(syscall.SIGTERM) // so that the reader is given up
			}
			wait(t, cmd)
			assert.Contains(t, said(), test.says+": it was ended before it had written all")
		})
	}
}

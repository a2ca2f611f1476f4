//go:build linux

package local_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/interrupt"
	"github.com/procession-go/procession/internal/testkit"
)

// sent is a signal, some time after the one before.
type sent struct {
	after time.Duration
	sig   syscall.Signal
}

// send starts a command line, sends it signals as soon as its script is on, and
// waits for its exit code. It is again if the machine was too busy to send them in time.
func send(t *testing.T, cmd *exec.Cmd, signals ...sent) (code int, again bool) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // where a SIGINT is no Ctrl-C, if the tests have a terminal
	if !assert.NoError(t, cmd.Start()) {
		return 0, false
	}
	said(t, cmd.Dir, "on", 1)
	begin, due := time.Now(), time.Duration(0)
	for _, s := range signals {
		time.Sleep(s.after)
		due += s.after
		cmd.Process.Signal(s.sig)
	}
	again = time.Since(begin)-due > interrupt.AgainAfter/3
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), again
}

// finished checks that a command line has ended with code after its handlers.
func finished(t *testing.T, dir string, handlers, got, code int) {
	t.Helper()
	text, _ := os.ReadFile(filepath.Join(dir, "said"))
	assert.Equal(t, handlers, times(dir, "slept 0"), "handlers that have finished; said was %q", text)
	assert.Equal(t, code, got, "exit code; said was %q", text)
}

func TestAHandlerHasItsGrace(t *testing.T) {
	const INT, TERM, HUP, QUIT = syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT
	const meant = interrupt.AgainAfter + 50*time.Millisecond
	for name, signals := range map[string][]sent{
		"TERM and at once HUP":        {{0, TERM}, {0, HUP}},
		"HUP and at once TERM":        {{0, HUP}, {0, TERM}},
		"HUP and HUP":                 {{0, HUP}, {0, HUP}, {meant, HUP}},
		"TERM twice":                  {{0, TERM}, {5 * time.Millisecond, TERM}},
		"INT, TERM and QUIT together": {{0, INT}, {0, TERM}, {5 * time.Millisecond, QUIT}},
		"INT, and HUP later":          {{0, INT}, {meant, HUP}},
		"HUP, and TERM later":         {{0, HUP}, {meant, TERM}},
	} {
		for kind, command := range kinds {
			t.Run(kind+" "+name, func(t *testing.T) {
				many(t, func(dir string) {
					for {
						code, again := send(t, scripted(t, dir, handler, command.args...), signals...)
						if !again || t.Failed() {
							finished(t, dir, 1, code, command.code)
							return
						}
						os.Remove(filepath.Join(dir, "said"))
					}
				})
			})
		}
	}
}

func TestAgainKills(t *testing.T) {
	const INT, TERM, HUP, QUIT = syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT
	const meant = interrupt.AgainAfter + 500*time.Millisecond
	const stays = `trap 'echo asked >>said' TERM; echo on >>said; while :; do sleep 1000 & wait; done`
	for name, signals := range map[string][]sent{
		"TERM and TERM":       {{0, TERM}, {meant, TERM}},
		"INT and TERM":        {{0, INT}, {meant, TERM}},
		"HUP, TERM, and QUIT": {{0, HUP}, {0, TERM}, {meant, QUIT}},
	} {
		t.Run(name, func(t *testing.T) {
			many(t, func(dir string) {
				args := append([]string{"run", "--grace", "1h"}, kinds["run"].args[1:]...)
				code, _ := send(t, scripted(t, dir, stays, args...), signals...)
				assert.Equal(t, 137, code, "exit code")
			})
		})
	}
}

func TestAllHandlersOfAPoolHaveTheirGrace(t *testing.T) {
	const n = 8
	many(t, func(dir string) {
		cmd := scripted(t, dir, handler, "up", "-m", fmt.Sprintf("a=%d", n), "Procfile")
		if !assert.NoError(t, cmd.Start()) {
			return
		}
		said(t, dir, "on", n)
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		finished(t, dir, n, cmd.ProcessState.ExitCode(), 0)
	})
}

// timeout(1) sends its signal to the process and, at once, to the group.
func TestATimeoutOfTheCommandLine(t *testing.T) {
	path := testkit.Program(t, "timeout")
	for range 3 {
		busy := exec.Command("sh", "-c", "while :; do :; done")
		require.NoError(t, busy.Start())
		defer busy.Wait()
		defer busy.Process.Kill()
	}
	for kind, command := range kinds {
		t.Run(kind, func(t *testing.T) {
			many(t, func(dir string) {
				// On a busy machine the handler may not be there in time.
				for time := 0.4; time < 30; time *= 2 {
					cmd := scripted(t, dir, handler, command.args...)
					cmd.Args = append([]string{"timeout", "--preserve-status", fmt.Sprint(time), cmd.Path}, command.args...)
					cmd.Path = path
					cmd.Run()
					if times(dir, "on") > 0 {
						finished(t, dir, 1, cmd.ProcessState.ExitCode(), command.code)
						return
					}
				}
				assert.Fail(t, "it never was on")
			})
		})
	}
}

func TestATerminalThatIsClosed(t *testing.T) {
	for kind, command := range kinds {
		t.Run(kind, func(t *testing.T) {
			many(t, func(dir string) {
				cmd := scripted(t, dir, handler, command.args...)
				master, err := pty.Start(cmd)
				if !assert.NoError(t, err) {
					return
				}
				said(t, dir, "on", 1)
				master.Close()
				cmd.Wait()
				finished(t, dir, 1, cmd.ProcessState.ExitCode(), command.code)
			})
		})
	}
}

func TestAWindowThatIsClosed(t *testing.T) {
	path := testkit.Program(t, "tmux")
	for kind, command := range kinds {
		t.Run(kind, func(t *testing.T) {
			many(t, func(dir string) {
				tmux := func(args ...string) error {
					cmd := scripted(t, dir, handler, append([]string{"-S", filepath.Join(dir, "socket"), "-f", "/dev/null"}, args...)...)
					cmd.Path, cmd.Args[0] = path, "tmux"
					return cmd.Run()
				}
				defer tmux("kill-server")
				// The hang-up ends the leader of the session, and that makes it one of the rest.
				line := []string{"new-session", "-d", "sh", "-c", `"$@"; :`, "sh",
					"bash", "-c", `trap : HUP; "$@"; echo code $? >>said`, "bash", clitest.Self(t)}
				if !assert.NoError(t, tmux(append(line, command.args...)...)) || !said(t, dir, "on", 1) {
					return
				}
				assert.NoError(t, tmux("kill-window"))
				if said(t, dir, fmt.Sprint("code ", command.code), 1) {
					finished(t, dir, 1, command.code, command.code)
				}
			})
		})
	}
}

// On a terminal of its own a program that handles the signal, and no hang-up, has its
// grace, too.
func TestAHandlerOnATerminalHasItsGrace(t *testing.T) {
	many(t, func(dir string) {
		cmd := scripted(t, dir, handler, "run", "-t", "--", "bash", "-c", `eval "$SCRIPT"`)
		code, _ := send(t, cmd, sent{0, syscall.SIGTERM})
		finished(t, dir, 1, code, 7)
	})
}

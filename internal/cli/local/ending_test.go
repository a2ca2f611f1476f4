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
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/interrupt"
)

// sent is a signal, some time after the one before.
type sent struct {
	after time.Duration
	sig   syscall.Signal
}

// send starts a command line, sends it signals as soon as its script is on, and
// waits for its exit code. It is again if the machine was too busy to send them in time.
func send(cmd *exec.Cmd, signals ...sent) (code int, again bool, err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // where a SIGINT is no Ctrl-C, if the tests have a terminal
	if err := cmd.Start(); err != nil {
		return 0, false, err
	}
	err = said(cmd.Dir, "on", 1)
	begin, due := time.Now(), time.Duration(0)
	for _, s := range signals {
		time.Sleep(s.after)
		due += s.after
		cmd.Process.Signal(s.sig)
	}
	again = time.Since(begin)-due > interrupt.AgainAfter/3
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), again, err
}

// finished is what is wrong if a command line has not ended with code after its
// handlers.
func finished(dir string, handlers, got, code int) error {
	if n := times(dir, "slept 0"); n != handlers || got != code {
		text, _ := os.ReadFile(filepath.Join(dir, "said"))
		return fmt.Errorf("%d of %d handlers have finished, exit code %d instead of %d; said was %q", n, handlers, got, code, text)
	}
	return nil
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
				many(t, func(dir string) error {
					for {
						code, again, err := send(scripted(t, dir, handler, command.args...), signals...)
						switch {
						case err != nil:
							return err
						case !again:
							return finished(dir, 1, code, command.code)
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
			many(t, func(dir string) error {
				args := append([]string{"run", "--grace", "1h"}, kinds["run"].args[1:]...)
				code, _, err := send(scripted(t, dir, stays, args...), signals...)
				if err == nil && code != 137 {
					err = fmt.Errorf("exit code %d", code)
				}
				return err
			})
		})
	}
}

func TestAllHandlersOfAPoolHaveTheirGrace(t *testing.T) {
	const n = 8
	many(t, func(dir string) error {
		cmd := scripted(t, dir, handler, "up", "-m", fmt.Sprintf("a=%d", n), "Procfile")
		if err := cmd.Start(); err != nil {
			return err
		}
		err := said(dir, "on", n)
		cmd.Process.Signal(syscall.SIGINT)
		cmd.Wait()
		if err != nil {
			return err
		}
		return finished(dir, n, cmd.ProcessState.ExitCode(), 0)
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
			many(t, func(dir string) error {
				// On a busy machine the handler may not be there in time.
				for time := 0.4; time < 30; time *= 2 {
					cmd := scripted(t, dir, handler, command.args...)
					cmd.Args = append([]string{"timeout", "--preserve-status", fmt.Sprint(time), cmd.Path}, command.args...)
					cmd.Path = path
					cmd.Run()
					if times(dir, "on") > 0 {
						return finished(dir, 1, cmd.ProcessState.ExitCode(), command.code)
					}
				}
				return fmt.Errorf("it never was on")
			})
		})
	}
}

func TestATerminalThatIsClosed(t *testing.T) {
	for kind, command := range kinds {
		t.Run(kind, func(t *testing.T) {
			many(t, func(dir string) error {
				cmd := scripted(t, dir, handler, command.args...)
				master, err := pty.Start(cmd)
				if err != nil {
					return err
				}
				err = said(dir, "on", 1)
				master.Close()
				cmd.Wait()
				if err != nil {
					return err
				}
				return finished(dir, 1, cmd.ProcessState.ExitCode(), command.code)
			})
		})
	}
}

func TestAWindowThatIsClosed(t *testing.T) {
	testkit.Needs(t, "tmux")
	for kind, command := range kinds {
		t.Run(kind, func(t *testing.T) {
			many(t, func(dir string) error {
				tmux := func(args ...string) error {
					cmd := scripted(t, dir, handler, append([]string{"-S", filepath.Join(dir, "socket"), "-f", "/dev/null"}, args...)...)
					cmd.Path, cmd.Args[0] = testkit.Program(t, "tmux"), "tmux"
					return cmd.Run()
				}
				defer tmux("kill-server")
				// The hang-up ends the leader of the session, and that makes it one of the rest.
				line := []string{"new-session", "-d", "sh", "-c", `"$@"; :`, "sh",
					"bash", "-c", `trap : HUP; "$@"; echo code $? >>said`, "bash", clitest.Self(t)}
				if err := tmux(append(line, command.args...)...); err != nil {
					return err
				}
				if err := said(dir, "on", 1); err != nil {
					return err
				}
				if err := tmux("kill-window"); err != nil {
					return err
				}
				if err := said(dir, fmt.Sprint("code ", command.code), 1); err != nil {
					return err
				}
				return finished(dir, 1, command.code, command.code)
			})
		})
	}
}

// On a terminal of its own a program that handles the signal, and no hang-up, has its
// grace, too.
func TestAHandlerOnATerminalHasItsGrace(t *testing.T) {
	many(t, func(dir string) error {
		cmd := scripted(t, dir, handler, "run", "-t", "--", "bash", "-c", `eval "$SCRIPT"`)
		code, _, err := send(cmd, sent{0, syscall.SIGTERM})
		if err != nil {
			return err
		}
		return finished(dir, 1, code, 7)
	})
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

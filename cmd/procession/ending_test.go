//go:build linux

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/procession-go/procession/internal/testkit"
)

// handler cleans up when it is asked to end. What it says it also writes to the file
// said, which is there when it has no output any more.
const handler = `say() { echo "$@"; echo "$@" >>said; }
trap 'sleep 0.5; say slept $?; exit 7' TERM; say on; sleep 100 & wait`

// many runs something 100 times if that is asked for, otherwise 5, each in a
// directory of its own, some at the same time. None may be wrong.
func many(t *testing.T, run func(dir string) error) {
	t.Helper()
	testkit.Needs(t, "bash") // which the scripts are for
	n := 5
	if *slow {
		n = 100
	}
	var group errgroup.Group
	group.SetLimit(5)
	wrong := make([]error, n)
	for i := range n {
		dir := t.TempDir()
		group.Go(func() error {
			wrong[i] = run(dir)
			return nil
		})
	}
	group.Wait()
	count := 0
	for _, err := range wrong {
		if err != nil {
			count++
		}
	}
	if count > 0 {
		t.Errorf("%d of %d are wrong: %v", count, n, wrong)
	}
}

// kinds are the command lines that run a script in bash, which is in the variable
// SCRIPT, and the exit code if that returns 7 because it was asked to end.
var kinds = map[string]struct {
	args []string
	code int
}{
	"run": {[]string{"run", "--", "bash", "-c", `eval "$SCRIPT"`}, 7},
	"up":  {[]string{"up", "Procfile"}, 0},
}

// scripted is a command line that runs script in dir.
func scripted(t *testing.T, dir, script string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := cli(t, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "SCRIPT="+script)
	assert.NoError(t, os.WriteFile(filepath.Join(dir, "Procfile"), []byte(`a: exec bash -c "$SCRIPT"`+"\n"), 0o600))
	return cmd
}

// said waits until a script in dir has said a line n times.
func said(dir, line string, n int) error {
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(2 * time.Millisecond) {
		if times(dir, line) >= n {
			return nil
		}
	}
	return fmt.Errorf("%q was not said %d times", line, n)
}

// times is how often a script has said a line.
func times(dir, line string) int {
	text, _ := os.ReadFile(filepath.Join(dir, "said"))
	n := 0
	for said := range strings.Lines(string(text)) {
		if said == line+"\n" {
			n++
		}
	}
	return n
}

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
	again = time.Since(begin)-due > againAfter/3
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
	const meant = againAfter + 50*time.Millisecond
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
	const meant = againAfter + 500*time.Millisecond
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
					"bash", "-c", `trap : HUP; "$@"; echo code $? >>said`, "bash", self(t)}
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

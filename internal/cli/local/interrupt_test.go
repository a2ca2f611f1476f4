//go:build linux

package local_test

import (
	"io"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

// A Ctrl-C at the terminal on which procession runs is a SIGINT for what it runs.
func TestCtrlCIsAnInterrupt(t *testing.T) {
	// The child says that it is on, so that the signal does not come in the middle of its fork.
	const loop = `; sh -c "echo on; exec sleep 1000" & while :; do wait; done`
	for name, test := range map[string]struct {
		args []string
		says string
		code int
	}{
		"a program that handles it": {[]string{"--", "sh", "-c", `trap 'echo heard; exit 5' INT` + loop}, "heard", 5},
		"one that does not":         {[]string{"--", "sh", "-c", "echo on; exec sleep 1000"}, "", 130},
		"a child that cannot hear":  {[]string{"--grace", "1h", "--", "sh", "-c", `sh -c "echo on; exec sleep 1000" & wait`}, "", 130},
		"one that ignores it":       {[]string{"--grace", "1h", "--", "sh", "-c", `trap '' INT; trap 'echo asked; exit 6' TERM` + loop}, "asked", 6},
		"with a stop signal":        {[]string{"--stop-signal", "USR1", "--", "sh", "-c", `trap '' INT; trap 'echo asked; exit 7' USR1` + loop}, "asked", 7},
		"one that goes on":          {[]string{"--grace", "100ms", "--", "sh", "-c", `trap 'echo heard' INT` + loop}, "heard", 137},
		"several lines":             {[]string{"-q", `trap 'echo heard; exit 5' INT` + loop, `trap 'echo heard too; exit 5' INT` + loop}, "heard too", 5},
	} {
		t.Run(name, func(t *testing.T) {
			s := clitest.Show(t, clitest.Command(t, append([]string{"run"}, test.args...)...))
			s.Expect("on\r\n")
			if name == "several lines" {
				s.Expect("on\r\n")
			}
			s.Key("\x03")
			if test.says != "" {
				s.Expect(test.says)
			}
			assert.Equal(t, test.code, clitest.Wait(t, s.Cmd))
		})
	}
}

func TestCtrlCIsAKeyboardInterrupt(t *testing.T) {
	testkit.Needs(t, "python3")
	s := clitest.Show(t, clitest.Command(t, "run", "--", "python3", "-uc", "import time\nprint('on')\nwhile True: time.sleep(0.05)"))
	s.Expect("on\r\n")
	s.Key("\x03")
	s.Expect("KeyboardInterrupt")
	assert.Equal(t, 130, clitest.Wait(t, s.Cmd))
}

const telling = `trap 'echo asked; exit 9' TERM; for s in INT QUIT USR1 USR2 WINCH; do trap "echo $s" $s; done; sh -c "echo on; exec sleep 1000" &
while :; do wait; done`

func TestSignalsArePassedOn(t *testing.T) {
	for name, args := range map[string][]string{
		"one":     {"run", "--", "sh", "-c", telling},
		"a line":  {"run", "-q", "--name", "a", telling},
		"several": {"run", "-q", "--name", "a", "--name", "b", telling, "exec sleep 1000"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := clitest.Command(t, args...)
			said := clitest.Start(t, cmd)
			prefix := ""
			if name != "one" {
				prefix = "a | "
			}
			require.Equal(t, prefix+"on", clitest.Line(t, said))
			for _, sig := range []struct {
				number syscall.Signal
				name   string
			}{{syscall.SIGUSR1, "USR1"}, {syscall.SIGUSR2, "USR2"}, {syscall.SIGWINCH, "WINCH"}, {syscall.SIGUSR1, "USR1"}} {
				if name == "several" && sig.name != "WINCH" {
					continue // sleep would end
				}
				cmd.Process.Signal(sig.number)
				assert.Equal(t, prefix+sig.name, clitest.Line(t, said))
			}
			cmd.Process.Signal(syscall.SIGTERM)
			assert.Equal(t, prefix+"asked", clitest.Line(t, said))
			io.Copy(io.Discard, said)
			clitest.Wait(t, cmd)
		})
	}
}

// A signal for the program is not for its children, who may die of it.
func TestASignalIsForTheProgramAlone(t *testing.T) {
	cmd := clitest.Command(t, "run", "--", "sh", "-c", `trap 'kill -0 $! && echo lives; exit 3' USR1; sh -c "echo on; exec sleep 1000" & wait`)
	said := clitest.Start(t, cmd)
	require.Equal(t, "on", clitest.Line(t, said))
	cmd.Process.Signal(syscall.SIGUSR1)
	assert.Equal(t, "lives", clitest.Line(t, said))
	assert.Equal(t, 3, clitest.Wait(t, cmd))
}

// What procession was started to ignore it ignores, as a shell without job control has it
// for what it runs in the background.
func TestWhatWasIgnoredStaysSo(t *testing.T) {
	for name, test := range map[string]struct {
		ignored string
		send    []syscall.Signal
	}{
		"in the background": {"INT QUIT", []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGINT}},
		"by nohup":          {"HUP", []syscall.Signal{syscall.SIGHUP}},
		"all":               {"HUP INT QUIT", []syscall.Signal{syscall.SIGQUIT, syscall.SIGHUP, syscall.SIGINT}},
	} {
		for kind, args := range map[string][]string{"run": {"run", "--", "sh", "-c", telling}, "lines": {"run", "-q", "--name", "a", telling}} {
			t.Run(name+", "+kind, func(t *testing.T) {
				run := clitest.Command(t, args...)
				cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `trap '' ` + test.ignored + `; exec "$@"`, "sh", clitest.Self(t)}, args...)...)
				cmd.Env = run.Env
				said := clitest.Start(t, cmd)
				require.Contains(t, clitest.Line(t, said), "on")
				for _, sig := range test.send {
					cmd.Process.Signal(sig)
				}
				cmd.Process.Signal(syscall.SIGUSR1) // which comes last
				require.Contains(t, clitest.Line(t, said), "USR1")
				cmd.Process.Signal(syscall.SIGUSR2)
				require.Contains(t, clitest.Line(t, said), "USR2")
				cmd.Process.Signal(syscall.SIGTERM)
				require.Contains(t, clitest.Line(t, said), "asked")
				io.Copy(io.Discard, said)
				assert.Equal(t, 9, clitest.Wait(t, cmd))
			})
		}
	}
}

// A script runs it in the background, and does not wait.
func TestABackgroundJobOfAScript(t *testing.T) {
	cmd := clitest.Command(t)
	script := exec.CommandContext(t.Context(), "sh", "-c", `"$0" run -- sh -c 'echo on $PPID; sleep 0.5; echo through' & wait`, clitest.Self(t))
	script.Env = cmd.Env
	script.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said := clitest.Start(t, script)
	require.Contains(t, clitest.Line(t, said), "on")
	syscall.Kill(-script.Process.Pid, syscall.SIGINT)
	assert.Equal(t, "through", clitest.Line(t, said))
	script.Wait()
}

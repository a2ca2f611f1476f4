//go:build linux

package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
			s := show(t, cli(t, append([]string{"run"}, test.args...)...))
			s.expect("on\r\n")
			if name == "several lines" {
				s.expect("on\r\n")
			}
			s.key("\x03")
			if test.says != "" {
				s.expect(test.says)
			}
			assert.Equal(t, test.code, wait(t, s.cmd))
		})
	}
}

func TestCtrlCIsAKeyboardInterrupt(t *testing.T) {
	testkit.Needs(t, "python3")
	s := show(t, cli(t, "run", "--", "python3", "-uc", "import time\nprint('on')\ntime.sleep(1000)"))
	s.expect("on\r\n")
	s.key("\x03")
	s.expect("KeyboardInterrupt")
	assert.Equal(t, 130, wait(t, s.cmd))
}

// reads starts a command line, and reads what a it says.
func reads(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	return bufio.NewReader(out)
}

func lineOf(t *testing.T, r *bufio.Reader) string {
	t.Helper()
	line, err := r.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
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
			cmd := cli(t, args...)
			said := reads(t, cmd)
			prefix := ""
			if name != "one" {
				prefix = "a | "
			}
			require.Equal(t, prefix+"on", lineOf(t, said))
			for _, sig := range []struct {
				number syscall.Signal
				name   string
			}{{syscall.SIGUSR1, "USR1"}, {syscall.SIGUSR2, "USR2"}, {syscall.SIGWINCH, "WINCH"}, {syscall.SIGUSR1, "USR1"}} {
				if name == "several" && sig.name != "WINCH" {
					continue // sleep would end
				}
				cmd.Process.Signal(sig.number)
				assert.Equal(t, prefix+sig.name, lineOf(t, said))
			}
			cmd.Process.Signal(syscall.SIGTERM)
			assert.Equal(t, prefix+"asked", lineOf(t, said))
			io.Copy(io.Discard, said)
			wait(t, cmd)
		})
	}
}

// A signal for the program is not for its children, who may die of it.
func TestASignalIsForTheProgramAlone(t *testing.T) {
	cmd := cli(t, "run", "--", "sh", "-c", `trap 'kill -0 $! && echo lives; exit 3' USR1; sh -c "echo on; exec sleep 1000" & wait`)
	said := reads(t, cmd)
	require.Equal(t, "on", lineOf(t, said))
	cmd.Process.Signal(syscall.SIGUSR1)
	assert.Equal(t, "lives", lineOf(t, said))
	assert.Equal(t, 3, wait(t, cmd))
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
				run := cli(t, args...)
				cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", `trap '' ` + test.ignored + `; exec "$@"`, "sh", self(t)}, args...)...)
				cmd.Env = run.Env
				said := reads(t, cmd)
				require.Contains(t, lineOf(t, said), "on")
				for _, sig := range test.send {
					cmd.Process.Signal(sig)
				}
				cmd.Process.Signal(syscall.SIGUSR1) // which comes last
				require.Contains(t, lineOf(t, said), "USR1")
				cmd.Process.Signal(syscall.SIGUSR2)
				require.Contains(t, lineOf(t, said), "USR2")
				cmd.Process.Signal(syscall.SIGTERM)
				require.Contains(t, lineOf(t, said), "asked")
				io.Copy(io.Discard, said)
				assert.Equal(t, 9, wait(t, cmd))
			})
		}
	}
}

// A script runs it in the background, and does not wait.
func TestABackgroundJobOfAScript(t *testing.T) {
	cmd := cli(t)
	script := exec.CommandContext(t.Context(), "sh", "-c", `"$0" run -- sh -c 'echo on $PPID; sleep 0.5; echo through' & wait`, self(t))
	script.Env = cmd.Env
	script.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	said := reads(t, script)
	require.Contains(t, lineOf(t, said), "on")
	syscall.Kill(-script.Process.Pid, syscall.SIGINT)
	assert.Equal(t, "through", lineOf(t, said))
	script.Wait()
}

func TestStopSignal(t *testing.T) {
	const script = `trap 'echo heard; exit 4' USR1; trap 'exit 5' TERM; sh -c "echo on; exec sleep 1000" & while :; do wait; done`
	dir := t.TempDir()
	yaml := filepath.Join(dir, "procession.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Procfile"), []byte("a: "+script+"\n"), 0o600))
	text := "processes:\n  a:\n    stop_signal: usr1\n    command: |\n      " + script + "\n"
	require.NoError(t, os.WriteFile(yaml, []byte(text), 0o600))
	for name, args := range map[string][]string{
		"run": {"run", "--stop-signal", "usr1", "--", "sh", "-c", script}, "lines": {"run", "-q", "--stop-signal", "SIGUSR1", script},
		"a number": {"run", "--stop-signal", "10", "--", "sh", "-c", script}, "a terminal": {"run", "-t", "--stop-signal", "USR1", "--", "sh", "-c", script},
		"up": {"up", "--stop-signal", "usr1", filepath.Join(dir, "Procfile")}, "the file": {"up", "--stop-signal", "int", yaml},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := cli(t, args...)
			said := reads(t, cmd)
			require.Contains(t, lineOf(t, said), "on")
			cmd.Process.Signal(syscall.SIGTERM)
			assert.Contains(t, lineOf(t, said), "heard")
			io.Copy(io.Discard, said)
			wait(t, cmd)
		})
	}
	wrong := runCLI(t, "run", "--stop-signal", "nope", "true")
	assert.Equal(t, codeUsage, wrong.code)
	oneLine(t, wrong.stderr, "--stop-signal", "want a signal such as SIGTERM")
}

func TestWhichSignalsAskForTheEnd(t *testing.T) {
	const INT, TERM, HUP, QUIT = syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT
	for _, test := range []struct{ ignored, want []os.Signal }{
		{nil, []os.Signal{INT, TERM, HUP, QUIT}},
		{[]os.Signal{HUP}, []os.Signal{INT, TERM, QUIT}},
		{[]os.Signal{INT}, []os.Signal{TERM, HUP}},
		{[]os.Signal{INT, HUP}, []os.Signal{TERM}},
	} {
		got := without(endSignals, func(sig os.Signal) bool {
			for _, ignored := range test.ignored {
				if sig == ignored {
					return true
				}
			}
			return false
		})
		assert.Equal(t, test.want, got)
	}
}

//go:build unix

package terminal_test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

func TestATerminalOfTheSameSize(t *testing.T) {
	s := clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sh", "-c", "stty size; tty"))
	s.Expect(fmt.Sprintf("%d %d\r\n", clitest.Rows, clitest.Cols))
	s.Expect("/dev/")
	s.Ends(0)
}

func TestItsNameIsTheCallers(t *testing.T) {
	t.Setenv("TERM", "vt220")
	for want, args := range map[string][]string{
		"vt220": {"run", "-t", "--", "sh", "-c", "echo $TERM"},
		"vt100": {"run", "-t", "-e", "TERM=vt100", "--", "sh", "-c", "echo $TERM"},
	} {
		s := clitest.Show(t, clitest.Command(t, args...))
		s.Expect(want + "\r\n")
		s.Ends(0)
	}
}

func TestResize(t *testing.T) {
	s := clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sh", "-c", `trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done`))
	s.Expect("ready")
	s.Resize(44, 55)
	s.Expect("44 55\r\n")
	s.Ends(0)
}

func TestKeysGoToTheProcess(t *testing.T) {
	s := clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sh", "-c", `trap 'echo interrupted; exit 6' INT; echo ready; while :; do sleep 0.05; done`))
	s.Expect("ready")
	assert.False(t, s.Restored(), "the terminal is not in raw mode")
	s.Key("\x03")
	s.Expect("interrupted")
	s.Ends(6)

	s = clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sh", "-c", `trap 'echo quit; exit 7' QUIT; echo ready; while :; do sleep 0.05; done`))
	s.Expect("ready")
	s.Key("\x1c")
	s.Expect("quit")
	s.Ends(7)

	// Ctrl-Z, Ctrl-\, Ctrl-D, a carriage return and a byte that is no text.
	s = clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sh", "-c", `stty raw -echo; echo ready; head -c 5 | od -An -tx1`))
	s.Expect("ready")
	s.Key("\x1a\x1c\x04\r\xff")
	s.Expect("1a 1c 04 0d ff")
	s.Ends(0)
}

func TestTheEndOfInputOnATerminal(t *testing.T) {
	s := clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sh", "-c", "echo ready; exec cat"))
	s.Expect("ready\r\n")
	s.Key("typed\r")
	s.Expect("typed\r\ntyped\r\n") // its echo, and what cat says
	s.Key("\x04")
	s.Ends(0)
}

func TestASignalRestoresTheTerminal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		s := clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sleep", "600"))
		s.IsRaw()
		s.Cmd.Process.Signal(sig)
		s.Ends(143)
	}
}

// A crash is what SIGKILL, and SIGABRT for a panic, look like from outside.
func TestACrashRestoresTheTerminal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGABRT} {
		s := clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sh", "-c", "echo ready; exec sleep 600"))
		s.Expect("ready")
		s.Cmd.Process.Signal(sig)
		clitest.Wait(t, s.Cmd)
		s.IsRestored()
	}
}

func TestAStopFromOutsideGivesTheTerminalBack(t *testing.T) {
	s := clitest.Show(t, clitest.Command(t, "run", "-t", "--", "sh", "-c", "echo ready; exec cat"))
	s.Expect("ready\r\n")
	s.Key("a\r")
	s.Expect("a\r\na\r\n")
	s.Cmd.Process.Signal(syscall.SIGTSTP)
	s.IsRestored() // it is given back
	s.Resize(12, 34)
	s.Cmd.Process.Signal(syscall.SIGCONT)
	testkit.Eventually(t, func(c *assert.CollectT) {
		s.Cmd.Process.Signal(syscall.SIGCONT) // the first may come before it has stopped
		assert.False(c, s.Restored(), "the terminal is not taken again")
	})
	s.Key("b\r")
	s.Expect("b\r\nb\r\n")
	s.Key("\x04")
	s.Ends(0)
}

func TestATerminalWithoutOne(t *testing.T) {
	cmd := clitest.Command(t, "run", "-t", "--", "sh", "-c", "stty size; test -t 0 && test -t 1 && test -t 2 && echo terminal")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	got := clitest.RunCommand(t, cmd)
	assert.Equal(t, clitest.Result{Stdout: "24 80\r\nterminal\r\n"}, got)
}

func TestInputForATerminalWithoutOne(t *testing.T) {
	cmd := clitest.Command(t, "run", "-t", "-i", "--", "sh", "-c", "stty -echo; echo ready; cat")
	cmd.Stdin = strings.NewReader("some\ntext")
	got := clitest.RunCommand(t, cmd)
	assert.Regexp(t, "some\r\ntext$", got.Stdout)
	assert.Zero(t, got.Code, "exit code; stderr %q", got.Stderr)
}

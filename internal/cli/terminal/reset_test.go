//go:build unix

package terminal_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/procession-go/procession/internal/cli/clitest"
)

// onTerminal is a line for the shell that writes text, says that it is ready, and
// does the rest.
func onTerminal(text, rest string) []string {
	return []string{"--", "sh", "-c", "printf '" + strings.ReplaceAll(text, "\x1b", `\033`) + "ready'; " + rest}
}

// stays is the rest of a program that does not end when it is asked to.
const stays = `trap "" TERM HUP; printf ' now'; while :; do sleep 600; done`

func TestTheScreenIsPutBack(t *testing.T) {
	for _, test := range []struct {
		name  string
		flags []string
		rest  string
		sig   syscall.Signal
		code  int
		says  string
	}{
		{"stubborn", []string{"--grace", "50ms"}, stays, syscall.SIGTERM, 137, ""},
		{"quit", []string{"--grace", "50ms"}, stays, syscall.SIGQUIT, 137, ""},
		{"killed by the first signal", nil, `printf ' now'; exec sleep 600`, syscall.SIGINT, 143, ""},
		{"timeout", []string{"--timeout", "1s", "--grace", "50ms"}, stays, 0, 137, "procession: sh timed out after 1s\r\n"},
		{"killed by itself", nil, `printf ' now'; kill -9 $$`, 0, 137, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := clitest.Show(t, clitest.Command(t, append(append([]string{"run", "-t"}, test.flags...), onTerminal(clitest.Enters, test.rest)...)...))
			s.Expect(clitest.Enters + "ready now")
			if test.sig != 0 {
				s.Cmd.Process.Signal(test.sig)
			}
			s.Expect(clitest.Leaves + test.says)
			s.Ends(test.code)
			s.NothingMore()
		})
	}
}

// A crash is what SIGKILL, and SIGABRT for a panic, look like from outside.
func TestACrashPutsTheScreenBack(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGABRT} {
		cmd := clitest.Command(t, append([]string{"run", "-t"}, onTerminal(clitest.Enters, stays)...)...)
		cmd.Env = append(cmd.Env, "GOTRACEBACK=none")
		s := clitest.Show(t, cmd)
		s.Expect(clitest.Enters + "ready now")
		s.Cmd.Process.Signal(sig)
		s.Expect(clitest.Leaves)
		clitest.Wait(t, s.Cmd)
		s.IsRestored()
	}
}

// The group of the command line may be killed as one.
func TestAKilledGroupPutsTheScreenBack(t *testing.T) {
	s := clitest.Show(t, clitest.Command(t, append([]string{"run", "-t"}, onTerminal(clitest.Enters, stays)...)...))
	s.Expect(clitest.Enters + "ready now")
	syscall.Kill(-s.Cmd.Process.Pid, syscall.SIGKILL)
	s.Expect(clitest.Leaves)
	clitest.Wait(t, s.Cmd)
	s.IsRestored()
}

// The screen is put back though the input is no terminal.
func TestTheScreenIsPutBackWithoutInput(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		cmd := clitest.Command(t)
		cmd.Path = "/bin/sh"
		cmd.Args = append([]string{"sh", "-c", `exec "$0" run -t --grace 50ms "$@" </dev/null`, clitest.Self(t)}, onTerminal(clitest.Enters, stays)...)
		s := clitest.Show(t, cmd)
		s.Expect(clitest.Enters + "ready now")
		s.Cmd.Process.Signal(sig)
		s.Expect(clitest.Leaves)
		clitest.Wait(t, s.Cmd)
	}
}

// What a program leaves behind when it ends by itself is what it wanted: nothing
// is added. Nor if it has put the screen back itself when it was asked to end.
func TestNothingIsAddedToTheScreen(t *testing.T) {
	for _, test := range []struct {
		name, text, rest string
		sig              syscall.Signal
		code             int
		shows            string
	}{
		{"nothing was changed", "", "exit 3", 0, 3, "ready"},
		{"it wanted to", clitest.Enters, "exit 0", 0, 0, clitest.Enters + "ready"},
		{"it cleans up", clitest.Enters, `trap 'printf "` + strings.ReplaceAll(clitest.Leaves, "\x1b", `\033`) + `"; exit 4' TERM HUP; printf ' now'; while :; do sleep 0.01; done`,
			syscall.SIGTERM, 4, clitest.Enters + "ready now"},
		{"nothing was changed, and it is killed", "", `printf ' now'; exec sleep 600`, syscall.SIGTERM, 143, "ready now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := clitest.Show(t, clitest.Command(t, append([]string{"run", "-t"}, onTerminal(test.text, test.rest)...)...))
			s.Expect(test.shows)
			if test.sig != 0 {
				s.Cmd.Process.Signal(test.sig)
			}
			if test.name == "it cleans up" {
				s.Expect(clitest.Leaves)
			}
			s.Ends(test.code)
			s.NothingMore()
		})
	}
}

// What is said while the terminal is in raw mode is said when it is not.
func TestMessagesAreNoStairs(t *testing.T) {
	s := clitest.Show(t, clitest.Command(t, "run", "-t", "--timeout", "100ms", "--", "sleep", "600"))
	s.Expect("procession: sleep timed out after 100ms\r\n")
	s.Ends(143)
}

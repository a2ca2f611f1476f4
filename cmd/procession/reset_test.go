//go:build unix

package main

import (
	"strings"
	"syscall"
	"testing"
)

// A program for terminals, in a line for the shell: what it does to the screen at
// its start, and what would take that back.
const (
	enters = "\x1b[?1049h\x1b[?25l\x1b[?1002;1006h\x1b[?2004h\x1b[?1h\x1b=\x1b[31m"
	leaves = "\x1b[?1049l\x1b[?25h\x1b[?1l\x1b[?1002l\x1b[?1006l\x1b[?2004l\x1b>\x1b[m"
)

// onTerminal is a line for the shell that writes text, says that it is ready, and
// does the rest.
func onTerminal(text, rest string) []string {
	return []string{"--", "sh", "-c", "printf '" + strings.ReplaceAll(text, "\x1b", `\033`) + "ready'; " + rest}
}

// stays is the rest of a program that does not end when it is asked to.
const stays = `trap "" TERM HUP; printf ' now'; while :; do sleep 600; done`

// nothingMore checks that nothing is shown any more once the command line has ended.
func (s *screen) nothingMore() {
	s.t.Helper()
	if _, err := s.tty.WriteString("the end"); err != nil {
		s.t.Fatal(err)
	}
	s.expectMatch(`^the end`)
}

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
			s := show(t, cli(t, append(append([]string{"run", "-t"}, test.flags...), onTerminal(enters, test.rest)...)...))
			s.expect(enters + "ready now")
			if test.sig != 0 {
				s.cmd.Process.Signal(test.sig)
			}
			s.expect(leaves + test.says)
			s.ends(test.code)
			s.nothingMore()
		})
	}
}

// A crash is what SIGKILL, and SIGABRT for a panic, look like from outside.
func TestACrashPutsTheScreenBack(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGABRT} {
		cmd := cli(t, append([]string{"run", "-t"}, onTerminal(enters, stays)...)...)
		cmd.Env = append(cmd.Env, "GOTRACEBACK=none")
		s := show(t, cmd)
		s.expect(enters + "ready now")
		s.cmd.Process.Signal(sig)
		s.expect(leaves)
		wait(t, s.cmd)
		until(t, "the terminal is as it was", s.restored)
	}
}

// The group of the command line may be killed as one.
func TestAKilledGroupPutsTheScreenBack(t *testing.T) {
	s := show(t, cli(t, append([]string{"run", "-t"}, onTerminal(enters, stays)...)...))
	s.expect(enters + "ready now")
	syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	s.expect(leaves)
	wait(t, s.cmd)
	until(t, "the terminal is as it was", s.restored)
}

// The screen is put back though the input is no terminal.
func TestTheScreenIsPutBackWithoutInput(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		cmd := cli(t)
		cmd.Path = "/bin/sh"
		cmd.Args = append([]string{"sh", "-c", `exec "$0" run -t --grace 50ms "$@" </dev/null`, self(t)}, onTerminal(enters, stays)...)
		s := show(t, cmd)
		s.expect(enters + "ready now")
		s.cmd.Process.Signal(sig)
		s.expect(leaves)
		wait(t, s.cmd)
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
		{"it wanted to", enters, "exit 0", 0, 0, enters + "ready"},
		{"it cleans up", enters, `trap 'printf "` + strings.ReplaceAll(leaves, "\x1b", `\033`) + `"; exit 4' TERM HUP; printf ' now'; while :; do sleep 0.01; done`,
			syscall.SIGTERM, 4, enters + "ready now"},
		{"nothing was changed, and it is killed", "", `printf ' now'; exec sleep 600`, syscall.SIGTERM, 143, "ready now"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := show(t, cli(t, append([]string{"run", "-t"}, onTerminal(test.text, test.rest)...)...))
			s.expect(test.shows)
			if test.sig != 0 {
				s.cmd.Process.Signal(test.sig)
			}
			if test.name == "it cleans up" {
				s.expect(leaves)
			}
			s.ends(test.code)
			s.nothingMore()
		})
	}
}

// What is said while the terminal is in raw mode is said when it is not.
func TestMessagesAreNoStairs(t *testing.T) {
	s := show(t, cli(t, "run", "-t", "--timeout", "100ms", "--", "sleep", "600"))
	s.expect("procession: sleep timed out after 100ms\r\n")
	s.ends(143)
}

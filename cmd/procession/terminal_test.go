//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/term"

	"github.com/procession-go/procession/internal/testkit"
)

// screen is a terminal with the command line on it.
type screen struct {
	t      *testing.T
	cmd    *exec.Cmd
	master *os.File
	tty    *os.File
	before *term.State
	read   sync.WaitGroup

	mu      sync.Mutex
	shown   bytes.Buffer
	changed chan struct{} // closed and replaced when more is shown
}

const rows, cols = 33, 111

// show runs the command line on a terminal of its own.
func show(t *testing.T, cmd *exec.Cmd) *screen {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, cmd: cmd, master: master, tty: tty, changed: make(chan struct{})}
	s.resize(rows, cols)
	s.before = s.mode()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.read.Go(s.watch)
	t.Cleanup(func() {
		tty.Close()
		master.Close()
		s.read.Wait()
	})
	return s
}

func (s *screen) watch() {
	buffer := make([]byte, 4096)
	for {
		n, err := s.master.Read(buffer)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.shown.Write(buffer[:n])
		close(s.changed)
		s.changed = make(chan struct{})
		s.mu.Unlock()
	}
}

// expect waits until text is shown, and forgets everything up to its end.
func (s *screen) expect(text string) {
	s.t.Helper()
	s.expectMatch(regexp.QuoteMeta(text))
}

func (s *screen) expectMatch(pattern string) {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(patience)
	for {
		s.mu.Lock()
		found, changed := re.FindIndex(s.shown.Bytes()), s.changed
		if found != nil {
			s.shown.Next(found[1])
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		select {
		case <-changed:
		case <-deadline:
			s.mu.Lock()
			defer s.mu.Unlock()
			s.t.Fatalf("%q is not shown, but %q", pattern, &s.shown)
		}
	}
}

// shows reports whether text has been shown since what was expected last.
func (s *screen) shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Contains(s.shown.Bytes(), []byte(text))
}

func (s *screen) key(keys string) {
	s.t.Helper()
	if _, err := s.master.WriteString(keys); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) resize(rows, cols uint16) {
	s.t.Helper()
	if err := pty.Setsize(s.master, &pty.Winsize{Rows: rows, Cols: cols}); err != nil {
		s.t.Fatal(err)
	}
}

func (s *screen) mode() *term.State {
	s.t.Helper()
	state, err := term.GetState(int(s.tty.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

func (s *screen) restored() bool { return reflect.DeepEqual(s.mode(), s.before) }

// ends waits for the end of the command line, which must have left the terminal
// as it was.
func (s *screen) ends(code int) {
	s.t.Helper()
	if got := wait(s.t, s.cmd); got != code {
		s.t.Errorf("exit code %d, want %d", got, code)
	}
	if !s.restored() {
		s.t.Error("the terminal is not as it was")
	}
}

func TestATerminalOfTheSameSize(t *testing.T) {
	s := show(t, cli(t, "run", "-t", "--", "sh", "-c", "stty size; tty"))
	s.expect(fmt.Sprintf("%d %d\r\n", rows, cols))
	s.expect("/dev/")
	s.ends(0)
}

func TestItsNameIsTheCallers(t *testing.T) {
	t.Setenv("TERM", "vt220")
	for want, args := range map[string][]string{
		"vt220": {"run", "-t", "--", "sh", "-c", "echo $TERM"},
		"vt100": {"run", "-t", "-e", "TERM=vt100", "--", "sh", "-c", "echo $TERM"},
	} {
		s := show(t, cli(t, args...))
		s.expect(want + "\r\n")
		s.ends(0)
	}
}

func TestResize(t *testing.T) {
	s := show(t, cli(t, "run", "-t", "--", "sh", "-c", `trap 'stty size; exit 0' WINCH; echo ready; while :; do sleep 0.05; done`))
	s.expect("ready")
	s.resize(44, 55)
	s.expect("44 55\r\n")
	s.ends(0)
}

func TestKeysGoToTheProcess(t *testing.T) {
	s := show(t, cli(t, "run", "-t", "--", "sh", "-c", `trap 'echo interrupted; exit 6' INT; echo ready; while :; do sleep 0.05; done`))
	s.expect("ready")
	if s.restored() {
		t.Error("the terminal is not in raw mode")
	}
	s.key("\x03")
	s.expect("interrupted")
	s.ends(6)

	s = show(t, cli(t, "run", "-t", "--", "sh", "-c", `trap 'echo quit; exit 7' QUIT; echo ready; while :; do sleep 0.05; done`))
	s.expect("ready")
	s.key("\x1c")
	s.expect("quit")
	s.ends(7)

	// Ctrl-Z, Ctrl-\, Ctrl-D, a carriage return and a byte that is no text.
	s = show(t, cli(t, "run", "-t", "--", "sh", "-c", `stty raw -echo; echo ready; head -c 5 | od -An -tx1`))
	s.expect("ready")
	s.key("\x1a\x1c\x04\r\xff")
	s.expect("1a 1c 04 0d ff")
	s.ends(0)
}

func TestTheEndOfInputOnATerminal(t *testing.T) {
	s := show(t, cli(t, "run", "-t", "--", "sh", "-c", "echo ready; exec cat"))
	s.expect("ready\r\n")
	s.key("typed\r")
	s.expect("typed\r\ntyped\r\n") // its echo, and what cat says
	s.key("\x04")
	s.ends(0)
}

func TestASignalRestoresTheTerminal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		s := show(t, cli(t, "run", "-t", "--", "sleep", "600"))
		until(t, "the terminal is in raw mode", func() bool { return !s.restored() })
		s.cmd.Process.Signal(sig)
		s.ends(143)
	}
}

// A crash is what SIGKILL, and SIGABRT for a panic, look like from outside.
func TestACrashRestoresTheTerminal(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGABRT} {
		s := show(t, cli(t, "run", "-t", "--", "sh", "-c", "echo ready; exec sleep 600"))
		s.expect("ready")
		s.cmd.Process.Signal(sig)
		wait(t, s.cmd)
		until(t, "the terminal is as it was", s.restored)
	}
}

func TestAStopFromOutsideGivesTheTerminalBack(t *testing.T) {
	s := show(t, cli(t, "run", "-t", "--", "sh", "-c", "echo ready; exec cat"))
	s.expect("ready\r\n")
	s.key("a\r")
	s.expect("a\r\na\r\n")
	s.cmd.Process.Signal(syscall.SIGTSTP)
	until(t, "the terminal is given back", s.restored)
	s.resize(12, 34)
	s.cmd.Process.Signal(syscall.SIGCONT)
	until(t, "the terminal is taken again", func() bool {
		s.cmd.Process.Signal(syscall.SIGCONT) // the first may come before it has stopped
		return !s.restored()
	})
	s.key("b\r")
	s.expect("b\r\nb\r\n")
	s.key("\x04")
	s.ends(0)
}

func TestATerminalWithoutOne(t *testing.T) {
	cmd := cli(t, "run", "-t", "--", "sh", "-c", "stty size; test -t 0 && test -t 1 && test -t 2 && echo terminal")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	got := runCmd(t, cmd)
	if want := "24 80\r\nterminal\r\n"; got.stdout != want || got.code != 0 || got.stderr != "" {
		t.Errorf("got %+v, want %q", got, want)
	}
}

func TestInputForATerminalWithoutOne(t *testing.T) {
	cmd := cli(t, "run", "-t", "-i", "--", "sh", "-c", "stty -echo; echo ready; cat")
	cmd.Stdin = strings.NewReader("some\ntext")
	got := runCmd(t, cmd)
	if !strings.HasSuffix(got.stdout, "some\r\ntext") || got.code != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestColour(t *testing.T) {
	for _, test := range []struct {
		env    string
		colour bool
	}{{"TERM=xterm", true}, {"NO_COLOR=1", false}, {"TERM=dumb", false}} {
		t.Run(test.env, func(t *testing.T) {
			cmd := cli(t, "run", "--name", "x", "echo a", "echo b >&2; exit 1")
			cmd.Env = append(cmd.Env, "TERM=xterm", test.env)
			s := show(t, cmd)
			if test.colour {
				s.expect("\x1b[36mx    |\x1b[0m a\r\n")
			} else {
				s.expect("x    | a\r\n")
			}
			s.expectMatch(`OUTPUT(?s:.*)\n.*\n`)
			s.ends(1)
			s.mu.Lock()
			defer s.mu.Unlock()
			if !test.colour && bytes.Contains(s.shown.Bytes(), []byte("\x1b")) {
				t.Errorf("colour in %q", &s.shown)
			}
		})
	}
}

func TestProgramsForTerminals(t *testing.T) {
	t.Run("python3", func(t *testing.T) {
		testkit.Needs(t, "python3")
		s := show(t, cli(t, "run", "-t", "--", "python3", "-q"))
		s.expect(">>> ")
		s.key("import os, time; os.get_terminal_size()\r")
		s.expect(fmt.Sprintf("columns=%d, lines=%d", cols, rows))
		s.expect(">>> ")
		s.key("print('now', 1 + 1); time.sleep(600)\r")
		s.expect("now 2")
		s.key("\x03")
		s.expect("KeyboardInterrupt")
		s.expect(">>> ")
		s.key("exit(5)\r")
		s.ends(5)
	})
	t.Run("vi", func(t *testing.T) {
		testkit.Needs(t, "vi")
		file := t.TempDir() + "/file"
		cmd := cli(t, "run", "-t", "--", "vi", file)
		cmd.Env = append(cmd.Env, "TERM=xterm")
		s := show(t, cmd)
		s.expect("~")
		s.key("iwritten\x1b")
		s.expect("written")
		s.key(":wq\r")
		s.ends(0)
		if text, err := os.ReadFile(file); string(text) != "written\n" {
			t.Errorf("the file is %q, %v", text, err)
		}
	})
	t.Run("top", func(t *testing.T) {
		testkit.Needs(t, "top")
		cmd := cli(t, "run", "-t", "--", "top")
		cmd.Env = append(cmd.Env, "TERM=xterm")
		s := show(t, cmd)
		s.expect("PID")
		s.key("q")
		s.ends(0)
	})
}

//go:build unix

package clitest

import (
	"bytes"
	"os"
	"os/exec"
	"reflect"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/term"

	"github.com/procession-go/procession/internal/testkit"
)

// Screen is a terminal with the command line on it.
type Screen struct {
	Cmd *exec.Cmd
	TTY *os.File // its side of the terminal

	t      *testing.T
	master *os.File
	before *term.State
	read   sync.WaitGroup

	mu      sync.Mutex
	shown   bytes.Buffer
	changed chan struct{} // closed and replaced when more is shown
}

// Rows and Cols are the size of a screen.
const Rows, Cols = 33, 111

// Show runs the command line on a terminal of its own.
func Show(t *testing.T, cmd *exec.Cmd) *Screen {
	t.Helper()
	master, tty, err := pty.Open()
	require.NoError(t, err)
	s := &Screen{t: t, Cmd: cmd, master: master, TTY: tty, changed: make(chan struct{})}
	s.Resize(Rows, Cols)
	s.before = s.mode()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, cmd.Start())
	s.read.Go(s.watch)
	t.Cleanup(func() {
		tty.Close()
		master.Close()
		s.read.Wait()
	})
	return s
}

func (s *Screen) watch() {
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

// Expect waits until text is shown, and forgets everything up to its end.
func (s *Screen) Expect(text string) {
	s.t.Helper()
	s.ExpectMatch(regexp.QuoteMeta(text))
}

// ExpectMatch is Expect for a text that matches a pattern.
func (s *Screen) ExpectMatch(pattern string) {
	s.t.Helper()
	re := regexp.MustCompile(pattern)
	deadline := time.After(Patience)
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
			require.Regexp(s.t, re, s.shown.String(), "it is not shown")
		}
	}
}

// Shows reports whether text has been shown since what was expected last.
func (s *Screen) Shows(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Contains(s.shown.Bytes(), []byte(text))
}

// Key types keys.
func (s *Screen) Key(keys string) {
	s.t.Helper()
	_, err := s.master.WriteString(keys)
	assert.NoError(s.t, err)
}

// Resize gives the terminal another size.
func (s *Screen) Resize(rows, cols uint16) {
	s.t.Helper()
	require.NoError(s.t, pty.Setsize(s.master, &pty.Winsize{Rows: rows, Cols: cols}))
}

func (s *Screen) mode() *term.State {
	s.t.Helper()
	state, err := term.GetState(int(s.TTY.Fd()))
	require.NoError(s.t, err)
	return state
}

// Restored reports whether the terminal is in the mode in which it was at first.
func (s *Screen) Restored() bool {
	now, err := term.GetState(int(s.TTY.Fd()))
	return err == nil && reflect.DeepEqual(now, s.before)
}

// IsRaw waits until the terminal is in another mode than at first.
func (s *Screen) IsRaw() {
	s.t.Helper()
	testkit.Eventually(s.t, func(c *assert.CollectT) { assert.False(c, s.Restored(), "the terminal is as it was") })
}

// IsRestored waits until the terminal is in the mode in which it was at first.
func (s *Screen) IsRestored() {
	s.t.Helper()
	testkit.Eventually(s.t, func(c *assert.CollectT) { assert.True(c, s.Restored(), "the terminal is not as it was") })
}

// Ends waits for the end of the command line, which must have left the terminal
// as it was.
func (s *Screen) Ends(code int) {
	s.t.Helper()
	assert.Equal(s.t, code, Wait(s.t, s.Cmd), "exit code")
	assert.True(s.t, s.Restored(), "the terminal is not as it was")
}

// A program for terminals, in a line for the shell: what it does to the screen at
// its start, and what would take that back.
const (
	Enters = "\x1b[?1049h\x1b[?25l\x1b[?1002;1006h\x1b[?2004h\x1b[?1h\x1b=\x1b[31m"
	Leaves = "\x1b[?1049l\x1b[?25h\x1b[?1l\x1b[?1002l\x1b[?1006l\x1b[?2004l\x1b>\x1b[m"
)

// NothingMore checks that nothing is shown any more once the command line has ended.
func (s *Screen) NothingMore() {
	s.t.Helper()
	_, err := s.TTY.WriteString("the end")
	require.NoError(s.t, err)
	s.ExpectMatch(`^the end`)
}

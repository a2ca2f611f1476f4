// Package terminal gives the caller's terminal to a process for a while, and puts it back
// into the modes in which it was, even if this program is killed meanwhile.
package terminal

import (
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
)

// Terminal is the caller's terminal while a process has the use of it. Its input is
// in raw mode, so that every key goes to the process, Ctrl-C and Ctrl-Z among them.
// The output that it shows tells in which modes the process has put it.
type Terminal struct {
	console  *console.Console
	input    *os.File
	before   *term.State // nil if the input is no terminal
	onScreen bool        // what the process writes is shown on a terminal
	keeper   *keeper
	unwind   func()

	mu     sync.Mutex
	closed bool

	showing sync.Mutex // while output is written, and its modes noted
	modes   modes
	over    bool // nothing more is shown
}

// Open puts the terminal into raw mode. Close ends that; if this program dies before, the
// keeper does.
func Open(c *console.Console) (*Terminal, error) {
	t := &Terminal{console: c, input: c.Stdin, onScreen: c.Stdout.Terminal, unwind: func() {}}
	if !console.IsTerminal(t.input) && !t.onScreen {
		return t, nil
	}
	var err error
	if t.keeper, err = startKeeper(t.input, c.Stdout.File); err != nil {
		return nil, err
	}
	c.Hold()
	if !console.IsTerminal(t.input) {
		return t, nil
	}
	if t.before, err = term.MakeRaw(int(t.input.Fd())); err != nil {
		c.Release()
		t.keeper.dismiss()
		return nil, err
	}
	t.unwind = t.whenStopped()
	return t, nil
}

// Show writes output to the stream of this program that it has come from, and notes into
// which modes it puts the terminal. The keeper is told before a byte of it is written.
func (t *Terminal) Show(s procession.Segment) error {
	if !t.onScreen {
		return t.console.Pass(s)
	}
	t.showing.Lock()
	defer t.showing.Unlock()
	if t.over {
		return nil
	}
	t.modes.note(s.Data)
	t.keeper.tell(t.modes.during.resets())
	err := t.console.Pass(s)
	t.keeper.tell(t.modes.now.resets())
	return err
}

// Close puts the terminal back into the mode in which it was. The screen is left as the
// process has left it if the process has ended by itself, which itsOwn says.
func (t *Terminal) Close(itsOwn bool) {
	t.unwind()
	shown := itsOwn || !t.onScreen || t.reset()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.restore()
	t.console.Release()
	if t.keeper != nil && shown {
		t.keeper.dismiss()
	}
}

// reset puts the screen back into the modes in which a program finds it. If that
// has to wait for too long it answers false, and leaves it to the keeper.
func (t *Terminal) reset() bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.showing.Lock()
		defer t.showing.Unlock()
		t.over = true
		if resets := t.modes.now.resets(); resets != "" {
			io.WriteString(t.console.Stdout, resets)
		}
	}()
	select {
	case <-done:
		return !t.console.Stdout.IsGivenUp()
	case <-time.After(console.LastWords):
		return false
	}
}

func (t *Terminal) restore() {
	if t.before != nil {
		term.Restore(int(t.input.Fd()), t.before)
	}
}

// release puts the terminal back into its mode for a while, regain makes it raw
// again.
func (t *Terminal) release() { t.unlessClosed(t.restore) }

func (t *Terminal) regain() { t.unlessClosed(func() { term.MakeRaw(int(t.input.Fd())) }) }

func (t *Terminal) unlessClosed(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		do()
	}
}

// Size is the size of the caller's terminal, whichever standard file that is. It is 80 by
// 24 if none is a terminal.
func Size(c *console.Console) procession.Size {
	for _, file := range []*os.File{c.Stdin, c.Stdout.File, c.Stderr.File} {
		if cols, rows, err := term.GetSize(int(file.Fd())); err == nil && cols > 0 && rows > 0 {
			return procession.Size{Rows: uint16(rows), Cols: uint16(cols)}
		}
	}
	return procession.Size{Rows: 24, Cols: 80}
}

// WithTerm is env with the caller's TERM, unless env has one: what the process writes is
// shown on the caller's terminal.
func WithTerm(env map[string]string) map[string]string {
	name := os.Getenv("TERM")
	if _, given := env["TERM"]; given || name == "" {
		return env
	}
	env = maps.Clone(env)
	env["TERM"] = name
	return env
}

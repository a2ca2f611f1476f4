package main

import (
	"context"
	"io"
	"maps"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/procession-go/procession"
)

// terminal is the caller's terminal while a process has the use of it. Its input is
// in raw mode, so that every key goes to the process, Ctrl-C and Ctrl-Z among them.
// From what is shown on it is known in which modes the process has put it.
type terminal struct {
	console  *console
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

// openTerminal puts a terminal into raw mode. What ends this program also ends
// that: close does, and the keeper if it is not called.
func openTerminal(c *console) (*terminal, error) {
	t := &terminal{console: c, input: c.stdin, onScreen: c.stdout.terminal, unwind: func() {}}
	if !isTerminal(t.input) && !t.onScreen {
		return t, nil
	}
	var err error
	if t.keeper, err = startKeeper(t.input, c.stdout.file); err != nil {
		return nil, err
	}
	c.hold()
	if !isTerminal(t.input) {
		return t, nil
	}
	if t.before, err = term.MakeRaw(int(t.input.Fd())); err != nil {
		c.release()
		t.keeper.dismiss()
		return nil, err
	}
	t.unwind = t.whenStopped()
	return t, nil
}

// show passes output on to the same stream of ours, and notes what it makes of the
// terminal. The keeper knows before a byte of it is there.
func (t *terminal) show(s procession.Segment) error {
	if !t.onScreen {
		return writeTo(t.console, s)
	}
	t.showing.Lock()
	defer t.showing.Unlock()
	if t.over {
		return nil
	}
	t.modes.note(s.Data)
	t.keeper.tell(t.modes.during.resets())
	err := writeTo(t.console, s)
	t.keeper.tell(t.modes.now.resets())
	return err
}

// close puts the terminal back into the mode that it was in. What the process has
// made of the screen is left to it, as long as it has ended by itself: itsOwn.
func (t *terminal) close(itsOwn bool) {
	t.unwind()
	shown := itsOwn || !t.onScreen || t.reset()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.restore()
	t.console.release()
	if t.keeper != nil && shown {
		t.keeper.dismiss()
	}
}

// reset puts the screen back into the modes in which a program finds it. If that
// has to wait for too long it answers false, and leaves it to the keeper.
func (t *terminal) reset() bool {
	done := make(chan struct{})
	go func() {
		defer close(done)
		t.showing.Lock()
		defer t.showing.Unlock()
		t.over = true
		if resets := t.modes.now.resets(); resets != "" {
			io.WriteString(t.console.stdout, resets)
		}
	}()
	select {
	case <-done:
		return !t.console.stdout.isGivenUp()
	case <-time.After(lastWords):
		return false
	}
}

func (t *terminal) restore() {
	if t.before != nil {
		term.Restore(int(t.input.Fd()), t.before)
	}
}

// release puts the terminal back into its mode for a while, regain makes it raw
// again.
func (t *terminal) release() { t.unlessClosed(t.restore) }

func (t *terminal) regain() { t.unlessClosed(func() { term.MakeRaw(int(t.input.Fd())) }) }

func (t *terminal) unlessClosed(do func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		do()
	}
}

// terminalSize is the size of the caller's terminal, whichever file it is, and
// 80 by 24 if there is none.
func terminalSize(c *console) procession.Size {
	for _, file := range []*os.File{c.stdin, c.stdout.file, c.stderr.file} {
		if cols, rows, err := term.GetSize(int(file.Fd())); err == nil && cols > 0 && rows > 0 {
			return procession.Size{Rows: uint16(rows), Cols: uint16(cols)}
		}
	}
	return procession.Size{Rows: 24, Cols: 80}
}

// withTerm is env with the caller's TERM, unless it has one: what the process
// writes is shown on the caller's terminal.
func withTerm(env map[string]string) map[string]string {
	name := os.Getenv("TERM")
	if _, given := env["TERM"]; given || name == "" {
		return env
	}
	env = maps.Clone(env)
	env["TERM"] = name
	return env
}

// followSize gives the process's terminal the size of the caller's whenever that
// changes, and also now: it may have changed since it was started.
func (f *fleet) followSize(m *member) (stop func()) {
	resize := func() { f.engine.Resize(context.Background(), m.ID, terminalSize(f.console)) }
	stop = onResize(resize)
	resize()
	return stop
}

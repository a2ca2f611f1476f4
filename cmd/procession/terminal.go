package main

import (
	"context"
	"maps"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/procession-go/procession"
)

// terminal is the caller's terminal while a process has the use of it: in raw
// mode, so that every key goes to the process, Ctrl-C and Ctrl-Z among them.
type terminal struct {
	fd     int
	before *term.State
	keeper *keeper
	unwind func()

	mu     sync.Mutex
	closed bool
}

// openTerminal puts a terminal into raw mode. What ends this program also ends
// that: close does, and the keeper if it is not called.
func openTerminal(file *os.File) (*terminal, error) {
	t := &terminal{fd: int(file.Fd())}
	var err error
	if t.keeper, err = startKeeper(file); err != nil {
		return nil, err
	}
	if t.before, err = term.MakeRaw(t.fd); err != nil {
		t.keeper.dismiss()
		return nil, err
	}
	t.unwind = t.whenStopped()
	return t, nil
}

// close puts the terminal back into the mode that it was in.
func (t *terminal) close() {
	t.unwind()
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	term.Restore(t.fd, t.before)
	t.keeper.dismiss()
}

// release puts the terminal back into its mode for a while, regain makes it raw
// again.
func (t *terminal) release() { t.unlessClosed(func() { term.Restore(t.fd, t.before) }) }

func (t *terminal) regain() { t.unlessClosed(func() { term.MakeRaw(t.fd) }) }

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
	for _, file := range []*os.File{c.stdin, c.stdout, c.stderr} {
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

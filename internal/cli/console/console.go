// Package console is what the command line reads from and writes to: its three standard
// files, with readers that may be slow or gone, and what it says itself. It also decides
// how the command line ends: exit codes and mistakes in its use.
package console

import (
	"log/slog"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/procession-go/procession"
)

// Console is what the command line talks to: its three standard files.
type Console struct {
	Stdin          *os.File
	Stdout, Stderr *Outlet

	mu   sync.Mutex
	held bool   // what procession itself says
	said []byte // meanwhile
}

// New is the console of this program.
func New() *Console {
	return &Console{Stdin: os.Stdin, Stdout: NewOutlet(os.Stdout), Stderr: NewOutlet(os.Stderr)}
}

// Write writes what procession itself says to stderr, or keeps it while that is
// held.
func (c *Console) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.said = append(c.said, text...)
		return len(text), nil
	}
	return c.Stderr.Write(text)
}

// Hold keeps what procession itself says for later: on a terminal in raw mode its
// lines would be stairs, in the midst of what a program shows there.
func (c *Console) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = c.Stderr.Terminal
}

// Release says what was kept.
func (c *Console) Release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held = false; len(c.said) > 0 {
		c.Stderr.Write(c.said)
	}
	c.said = nil
}

// IsTerminal reports whether a file is a terminal.
func IsTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Together reports whether stdout and stderr are the same file.
func (c *Console) Together() bool {
	out, err := c.Stdout.File.Stat()
	if err != nil {
		return false
	}
	errs, err := c.Stderr.File.Stat()
	return err == nil && os.SameFile(out, errs)
}

// Pass passes output on to the same stream of this program.
func (c *Console) Pass(s procession.Segment) error {
	to := c.Stdout
	if s.Stream == procession.Stderr {
		to = c.Stderr
	}
	_, err := to.Write(s.Data)
	return err
}

// Logger logs to stderr what is wrong with the engine, and nothing else.
func (c *Console) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

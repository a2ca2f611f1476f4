// Package console is the three standard files of the command line. Their readers may be
// slow, or gone. It also has how the command line ends: exit codes, errors of its use, and
// the line that says what went wrong.
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

// Hold keeps what procession itself says until Release. On a terminal in raw mode its
// lines would be stairs, in the middle of what a program shows there.
func (c *Console) Hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = c.Stderr.Terminal
}

// Release writes what Hold has kept.
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

// Pass writes output to the stream of this program that it has come from in its process.
func (c *Console) Pass(s procession.Segment) error {
	to := c.Stdout
	if s.Stream == procession.Stderr {
		to = c.Stderr
	}
	_, err := to.Write(s.Data)
	return err
}

// Logger is a logger for an engine. It logs warnings and errors to stderr.
func (c *Console) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(c, &slog.HandlerOptions{Level: slog.LevelWarn}))
}

package main

import (
	"os"
	"sync"

	"golang.org/x/term"
)

// console is what the command line talks to: its three standard files.
type console struct {
	stdin          *os.File
	stdout, stderr *outlet

	mu   sync.Mutex
	held bool   // what procession itself says
	said []byte // meanwhile
}

func newConsole() *console {
	return &console{stdin: os.Stdin, stdout: newOutlet(os.Stdout), stderr: newOutlet(os.Stderr)}
}

// Write writes what procession itself says to stderr, or keeps it while that is
// held.
func (c *console) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held {
		c.said = append(c.said, text...)
		return len(text), nil
	}
	return c.stderr.Write(text)
}

// hold keeps what procession itself says for later: on a terminal in raw mode its
// lines would be stairs, in the midst of what a program shows there.
func (c *console) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = c.stderr.terminal
}

// release says what was kept.
func (c *console) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held = false; len(c.said) > 0 {
		c.stderr.Write(c.said)
	}
	c.said = nil
}

// coloured reports whether o is to be written to in colour: it is a terminal
// that can, and nobody has said no (https://no-color.org).
func coloured(o *outlet) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && o.terminal
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// together reports whether stdout and stderr are the same file.
func (c *console) together() bool {
	out, err := c.stdout.file.Stat()
	if err != nil {
		return false
	}
	errs, err := c.stderr.file.Stat()
	return err == nil && os.SameFile(out, errs)
}

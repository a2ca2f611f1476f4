package main

import (
	"os"

	"golang.org/x/term"
)

// console is what the command line talks to: its three standard files.
type console struct{ stdin, stdout, stderr *os.File }

func newConsole() *console { return &console{os.Stdin, os.Stdout, os.Stderr} }

// coloured reports whether f is to be written to in colour: it is a terminal
// that can, and nobody has said no (https://no-color.org).
func coloured(f *os.File) bool {
	return os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(f)
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// together reports whether stdout and stderr are the same file.
func (c *console) together() bool {
	out, err := c.stdout.Stat()
	if err != nil {
		return false
	}
	errs, err := c.stderr.Stat()
	return err == nil && os.SameFile(out, errs)
}

package main

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/procession-go/procession"
)

// runSingle runs one process and passes its output on byte for byte.
func runSingle(c *console, flags *runFlags, spec procession.Spec) (err error) {
	spec.Stdin = flags.stdin
	if flags.terminal {
		spec.PTY = new(terminalSize(c))
		spec.Env = withTerm(spec.Env)
	}
	f, err := newFleet(c)
	if err != nil {
		return err
	}
	defer func() { err = f.tellLost(err) }()
	theirs := passedOn
	if !flags.terminal { // which tells of its size itself
		theirs = append(theirs, windowChange)
	}
	f.obey(theirs)
	defer f.close()

	if flags.terminal {
		return f.runOnTerminal(spec)
	}
	m, err := f.start(spec)
	if err != nil {
		return err
	}
	if flags.stdin {
		go f.feed(m, c.stdin)
	}
	return f.see(m, spec.Timeout, func(s procession.Segment) error { return writeTo(c, s) })
}

// runOnTerminal runs a process on a terminal of its own, and shows that on the
// caller's.
func (f *fleet) runOnTerminal(spec procession.Spec) error {
	t, err := openTerminal(f.console)
	if err != nil {
		return err
	}
	itsOwn := false
	defer func() { t.close(itsOwn) }()
	m, err := f.start(spec)
	if err != nil {
		return err
	}
	defer f.followSize(m)()
	go f.feed(m, f.console.stdin)
	err = f.see(m, spec.Timeout, t.show)
	itsOwn = !m.exit.Time.IsZero() && m.exit.Cause == procession.CauseExited && m.exit.Signal == ""
	return err
}

// see passes the output of a process on until it has ended, and answers how.
func (f *fleet) see(m *member, timeout time.Duration, write func(procession.Segment) error) error {
	err := f.follow(m, write)
	switch {
	case isBrokenPipe(err): // nobody wants to know more
		return statusOf(m.exit)
	case err != nil:
		return err
	case m.exit.Cause == procession.CauseTimeout:
		f.console.say("%s timed out after %v", m.Name, timeout)
	}
	return f.tellCut(m, statusOf(m.exit))
}

// writeTo passes output on to the same stream of ours.
func writeTo(c *console, s procession.Segment) error {
	to := c.stdout
	if s.Stream == procession.Stderr {
		to = c.stderr
	}
	_, err := to.Write(s.Data)
	return err
}

// feed passes from on to a process's standard input, to its end.
func (f *fleet) feed(m *member, from *os.File) {
	ctx := context.Background()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			_, unwritten := f.engine.Write(ctx, m.ID, buffer[:n])
			if errors.Is(unwritten, procession.ErrInvalidRequest) {
				f.console.say("the rest of standard input is not passed on: %v", unwritten)
				err = io.EOF
			} else if unwritten != nil {
				return // it reads no more, or it has ended
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				f.console.say("cannot read standard input: %v", err)
			}
			if err := f.engine.CloseStdin(ctx, m.ID); errors.Is(err, procession.ErrUnsupported) {
				f.console.say("%v", err)
			}
			return
		}
	}
}

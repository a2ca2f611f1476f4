package run

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/local"
	"github.com/procession-go/procession/internal/cli/terminal"
)

// runSingle runs one process and passes its output on byte for byte.
func runSingle(c *console.Console, flags *runFlags, spec procession.Spec) (err error) {
	spec.Stdin = flags.stdin
	if flags.terminal {
		spec.PTY = new(terminal.Size(c))
		spec.Env = terminal.WithTerm(spec.Env)
	}
	f, err := local.NewFleet(c)
	if err != nil {
		return err
	}
	defer func() { err = f.TellLost(err) }()
	f.Obey(!flags.terminal) // which tells of its size itself
	defer f.Close()

	if flags.terminal {
		return runOnTerminal(f, spec)
	}
	m, err := f.Start(spec)
	if err != nil {
		return err
	}
	if flags.stdin {
		go feed(f, m, c.Stdin)
	}
	return see(f, m, spec.Timeout, func(s procession.Segment) error { return c.Pass(s) })
}

// runOnTerminal runs a process on a terminal of its own, and shows that on the
// caller's.
func runOnTerminal(f *local.Fleet, spec procession.Spec) error {
	t, err := terminal.Open(f.Console)
	if err != nil {
		return err
	}
	itsOwn := false
	defer func() { t.Close(itsOwn) }()
	m, err := f.Start(spec)
	if err != nil {
		return err
	}
	defer followSize(f, m)()
	go feed(f, m, f.Console.Stdin)
	err = see(f, m, spec.Timeout, t.Show)
	itsOwn = !m.Exit.Time.IsZero() && m.Exit.Cause == procession.CauseExited && m.Exit.Signal == ""
	return err
}

// see passes the output of a process on until it has ended, and answers how.
func see(f *local.Fleet, m *local.Member, timeout time.Duration, write func(procession.Segment) error) error {
	err := f.Follow(m, write)
	switch {
	case console.IsBrokenPipe(err): // nobody wants to know more
		return console.StatusOf(m.Exit)
	case err != nil:
		return err
	case m.Exit.Cause == procession.CauseTimeout:
		f.Console.Say("%s timed out after %v", m.Name, timeout)
	}
	return f.TellCut(m, console.StatusOf(m.Exit))
}

// feed passes from on to a process's standard input, to its end.
func feed(f *local.Fleet, m *local.Member, from *os.File) {
	ctx := context.Background()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			_, unwritten := f.Engine.Write(ctx, m.ID, buffer[:n])
			if errors.Is(unwritten, procession.ErrInvalidRequest) {
				f.Console.Say("the rest of standard input is not passed on: %v", unwritten)
				err = io.EOF
			} else if unwritten != nil {
				return // it reads no more, or it has ended
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				f.Console.Say("cannot read standard input: %v", err)
			}
			if err := f.Engine.CloseStdin(ctx, m.ID); errors.Is(err, procession.ErrUnsupported) {
				f.Console.Say("%v", err)
			}
			return
		}
	}
}

// followSize gives the process's terminal the size of the caller's whenever that
// changes, and also now: it may have changed since it was started.
func followSize(f *local.Fleet, m *local.Member) (stop func()) {
	resize := func() { f.Engine.Resize(context.Background(), m.ID, terminal.Size(f.Console)) }
	stop = terminal.OnResize(resize)
	resize()
	return stop
}

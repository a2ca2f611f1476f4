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
	r, err := local.NewRunner(c)
	if err != nil {
		return err
	}
	defer func() { err = r.TellLost(err) }()
	r.Obey(!flags.terminal) // which tells of its size itself
	defer r.Close()

	if flags.terminal {
		return runOnTerminal(r, spec)
	}
	p, err := r.Start(spec)
	if err != nil {
		return err
	}
	if flags.stdin {
		go feed(r, p, c.Stdin)
	}
	return see(r, p, spec.Timeout, func(s procession.Segment) error { return c.Pass(s) })
}

// runOnTerminal runs a process on a terminal of its own, and shows that on the
// caller's.
func runOnTerminal(r *local.Runner, spec procession.Spec) error {
	t, err := terminal.Open(r.Console)
	if err != nil {
		return err
	}
	itsOwn := false
	defer func() { t.Close(itsOwn) }()
	p, err := r.Start(spec)
	if err != nil {
		return err
	}
	defer followSize(r, p)()
	go feed(r, p, r.Console.Stdin)
	err = see(r, p, spec.Timeout, t.Show)
	itsOwn = !p.Exit.Time.IsZero() && p.Exit.Cause == procession.CauseExited && p.Exit.Signal == ""
	return err
}

// see passes the output of a process on until it has ended, and answers how.
func see(r *local.Runner, p *local.Process, timeout time.Duration, write func(procession.Segment) error) error {
	err := r.Follow(p, write)
	switch {
	case console.IsBrokenPipe(err): // nobody wants to know more
		return console.StatusOf(p.Exit)
	case err != nil:
		return err
	case p.Exit.Cause == procession.CauseTimeout:
		r.Console.Say("%s timed out after %v", p.Name, timeout)
	}
	return r.TellCut(p, console.StatusOf(p.Exit))
}

// feed passes from on to a process's standard input, to its end.
func feed(r *local.Runner, p *local.Process, from *os.File) {
	ctx := context.Background()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			_, unwritten := r.Engine.Write(ctx, p.ID, buffer[:n])
			if errors.Is(unwritten, procession.ErrInvalidRequest) {
				r.Console.Say("the rest of standard input is not passed on: %v", unwritten)
				err = io.EOF
			} else if unwritten != nil {
				return // it reads no more, or it has ended
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				r.Console.Say("cannot read standard input: %v", err)
			}
			if err := r.Engine.CloseStdin(ctx, p.ID); errors.Is(err, procession.ErrUnsupported) {
				r.Console.Say("%v", err)
			}
			return
		}
	}
}

// followSize gives the process's terminal the size of the caller's whenever that
// changes, and also now: it may have changed since it was started.
func followSize(r *local.Runner, p *local.Process) (stop func()) {
	resize := func() { r.Engine.Resize(context.Background(), p.ID, terminal.Size(r.Console)) }
	stop = terminal.OnResize(resize)
	resize()
	return stop
}

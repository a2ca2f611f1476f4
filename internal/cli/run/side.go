package run

import (
	"errors"
	"slices"
	"sync"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/local"
	"github.com/procession-go/procession/internal/cli/screen"
)

// runSideBySide runs several shell lines at the same time.
func runSideBySide(c *console.Console, flags *runFlags, lines []string) (err error) {
	r, err := local.NewRunner(c)
	if err != nil {
		return err
	}
	defer func() { err = r.TellLost(err) }()
	r.Obey(true)
	defer r.Close()

	names := nameLines(lines, flags.names)
	printer := screen.NewPrinter(c, names)
	var processes []*local.Process
	var follows sync.WaitGroup
	errs := make([]error, len(lines))
	for i, line := range lines {
		spec, err := flags.process.Spec(procession.Shell(line))
		if err != nil {
			return err
		}
		spec.Name = names[i]
		p, err := r.Start(spec)
		if err != nil {
			errs[i] = err
			r.Stop()
			break
		}
		processes = append(processes, p)
		out, errOut := printer.Streams(p.Name)
		follows.Go(func() { errs[i] = printLines(r, p, out, errOut) })
	}
	follows.Wait()
	failure := firstFailure(processes)
	if err := errors.Join(errs...); console.IsBrokenPipe(err) {
		return failure
	} else if err != nil {
		return err
	}
	for _, p := range processes {
		failure = r.TellCut(p, failure)
	}
	if !flags.quiet {
		if err := console.UnlessUnread(printTable(c, processes)); err != nil {
			return err
		}
	}
	return failure
}

// firstFailure is how the command line ends: as the process that failed first.
func firstFailure(processes []*local.Process) error {
	failed := slices.DeleteFunc(slices.Clone(processes), func(p *local.Process) bool { return console.CodeOf(p.Exit) == 0 })
	if len(failed) == 0 {
		return nil
	}
	return console.StatusOf(slices.MinFunc(failed, func(a, b *local.Process) int { return a.Exit.Time.Compare(b.Exit.Time) }).Exit)
}

// printLines passes the output of p on to out and errs until it has ended.
func printLines(r *local.Runner, p *local.Process, out, errs *screen.LineWriter) error {
	err := r.Follow(p, func(s procession.Segment) error {
		w := out
		if s.Stream == procession.Stderr {
			w = errs
		}
		_, err := w.Write(s.Data)
		return err
	})
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	return errs.Close()
}

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
	f, err := local.NewFleet(c)
	if err != nil {
		return err
	}
	defer func() { err = f.TellLost(err) }()
	f.Obey(true)
	defer f.Close()

	names := nameLines(lines, flags.names)
	printer := screen.NewPrinter(c, names)
	var members []*local.Member
	var follows sync.WaitGroup
	errs := make([]error, len(lines))
	for i, line := range lines {
		spec, err := flags.process.Spec(procession.Shell(line))
		if err != nil {
			return err
		}
		spec.Name = names[i]
		m, err := f.Start(spec)
		if err != nil {
			errs[i] = err
			f.Stop()
			break
		}
		members = append(members, m)
		out, errOut := printer.Streams(m.Name)
		follows.Go(func() { errs[i] = printLines(f, m, out, errOut) })
	}
	follows.Wait()
	failure := firstFailure(members)
	if err := errors.Join(errs...); console.IsBrokenPipe(err) {
		return failure
	} else if err != nil {
		return err
	}
	for _, m := range members {
		failure = f.TellCut(m, failure)
	}
	if !flags.quiet {
		if err := console.UnlessUnread(printTable(c, members)); err != nil {
			return err
		}
	}
	return failure
}

// firstFailure is how the member ended that failed before all others.
func firstFailure(members []*local.Member) error {
	failed := slices.DeleteFunc(slices.Clone(members), func(m *local.Member) bool { return console.CodeOf(m.Exit) == 0 })
	if len(failed) == 0 {
		return nil
	}
	return console.StatusOf(slices.MinFunc(failed, func(a, b *local.Member) int { return a.Exit.Time.Compare(b.Exit.Time) }).Exit)
}

// printLines passes on the output of m to out and errs until it has ended.
func printLines(f *local.Fleet, m *local.Member, out, errs *screen.LineWriter) error {
	err := f.Follow(m, func(s procession.Segment) error {
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

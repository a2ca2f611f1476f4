package main

import (
	"errors"
	"slices"
	"sync"

	"github.com/procession-go/procession"
)

// runSideBySide runs several shell lines at the same time.
func runSideBySide(c *console, flags *runFlags, lines []string) (err error) {
	f, err := newFleet(c)
	if err != nil {
		return err
	}
	defer func() { err = f.tellLost(err) }()
	f.obey(append(passedOn, windowChange))
	defer f.close()

	names := nameLines(lines, flags.names)
	printer := newPrinter(c, names)
	var members []*member
	var follows sync.WaitGroup
	errs := make([]error, len(lines))
	for i, line := range lines {
		spec, err := flags.process.spec(procession.Shell(line))
		if err != nil {
			return err
		}
		spec.Name = names[i]
		m, err := f.start(spec)
		if err != nil {
			errs[i] = err
			f.stop()
			break
		}
		members = append(members, m)
		out, errOut := printer.streams(m.Name)
		follows.Go(func() { errs[i] = f.print(m, out, errOut) })
	}
	follows.Wait()
	failure := firstFailure(members)
	if err := errors.Join(errs...); isBrokenPipe(err) {
		return failure
	} else if err != nil {
		return err
	}
	for _, m := range members {
		failure = f.tellCut(m, failure)
	}
	if !flags.quiet {
		if err := unlessUnread(printTable(c, members)); err != nil {
			return err
		}
	}
	return failure
}

// firstFailure is how the member ended that failed before all others.
func firstFailure(members []*member) error {
	failed := slices.DeleteFunc(slices.Clone(members), func(m *member) bool { return codeOf(m.exit) == 0 })
	if len(failed) == 0 {
		return nil
	}
	return statusOf(slices.MinFunc(failed, func(a, b *member) int { return a.exit.Time.Compare(b.exit.Time) }).exit)
}

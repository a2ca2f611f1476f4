package local

import (
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
)

// gone reports whether no process is left, and for how long their output waits then
// for a reader that takes nothing.
func (r *Runner) gone() (gone bool, patience time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running == 0, max(r.grace, console.LastWords)
}

// CutText says why the output of a process that has ended so was cut.
func CutText(exit procession.Exit) string {
	if exit.Cause == procession.CauseExited {
		return "something that it started still held it open"
	}
	return "it was ended before it had written all"
}

// TellCut says if the output of a process is not complete. It returns the error with which
// the command line ends, which is err unless that is nil and the loss is a failure.
func (r *Runner) TellCut(p *Process, err error) error {
	if !p.Exit.OutputCut || r.wasKilled() {
		return err
	}
	r.Console.Say("the output of %s was cut: %s", p.Name, CutText(p.Exit))
	if err == nil && p.Exit.Cause != procession.CauseExited {
		return console.ExitStatus(console.CodeEngine)
	}
	return err
}

// TellLost says how much of the output was lost because nobody read it. It returns the error
// with which the command line ends: err, or that of a loss if err is nil. After a kill, which
// does not wait for readers, it says nothing.
func (r *Runner) TellLost(err error) error {
	n := r.Console.Losses()
	if n == 0 || r.wasKilled() {
		return err
	}
	r.Console.Say("%d bytes of the output are lost, because nobody read them", n)
	if err == nil {
		return console.ExitStatus(console.CodeEngine)
	}
	return err
}

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

// CutText is why the end of the output of a process that has ended so may be missing.
func CutText(exit procession.Exit) string {
	if exit.Cause == procession.CauseExited {
		return "something that it started still held it open"
	}
	return "it was ended before it had written all"
}

// TellCut says that the output of a process is not complete, if it is not, and answers how
// the command line ends that would have ended with err.
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

// TellLost says how much of the output was lost because it was given up, and
// answers how the command line ends that would have ended with err. Nothing is said
// after a kill, which does not wait for readers.
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

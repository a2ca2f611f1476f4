package local

import (
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
)

// gone reports whether no process is left, and for how long their output waits then
// for a reader that takes nothing.
func (f *Fleet) gone() (gone bool, patience time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running == 0, max(f.grace, console.LastWords)
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
func (f *Fleet) TellCut(m *Member, err error) error {
	if !m.Exit.OutputCut || f.wasKilled() {
		return err
	}
	f.Console.Say("the output of %s was cut: %s", m.Name, CutText(m.Exit))
	if err == nil && m.Exit.Cause != procession.CauseExited {
		return console.ExitStatus(console.CodeEngine)
	}
	return err
}

// TellLost says how much of the output was lost because it was given up, and
// answers how the command line ends that would have ended with err. Nothing is said
// after a kill, which does not wait for readers.
func (f *Fleet) TellLost(err error) error {
	n := f.Console.Losses()
	if n == 0 || f.wasKilled() {
		return err
	}
	f.Console.Say("%d bytes of the output are lost, because nobody read them", n)
	if err == nil {
		return console.ExitStatus(console.CodeEngine)
	}
	return err
}

package main

import (
	"time"

	"github.com/procession-go/procession"
)

const (
	// lastWords is how long the output of killed processes may take to be written.
	lastWords = 500 * time.Millisecond

	// lookEvery is how often it is looked whether somebody reads.
	lookEvery = 20 * time.Millisecond
)

// giveUpUnread gives up the output that nobody takes, from the time on at which
// the fleet was asked to end: when its processes are gone, and the reader has taken
// nothing for as long as they had to end. It returns never, for what is said at the
// end may be unread, too.
func (f *fleet) giveUpUnread(asked time.Time) {
	outlets := []*outlet{f.console.stdout, f.console.stderr}
	readers := make([]reader, len(outlets))
	for i, o := range outlets {
		readers[i].saw(o.flow(), asked)
		readers[i].since = asked
	}
	for range time.Tick(lookEvery) {
		gone, patience := f.gone()
		for i, o := range outlets {
			now, seen := time.Now(), o.flow()
			if idle := readers[i].saw(seen, now); gone && seen.waiting && idle >= patience {
				o.giveUp()
			}
		}
	}
}

// gone reports whether no process is left, and for how long their output waits then
// for a reader that takes nothing.
func (f *fleet) gone() (gone bool, patience time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.running == 0, max(f.grace, lastWords)
}

// cutText is why the end of the output of a process that has ended so may be missing.
func cutText(exit procession.Exit) string {
	if exit.Cause == procession.CauseExited {
		return "something that it started still held it open"
	}
	return "it was ended before it had written all"
}

// tellCut says that the output of a process is not complete, if it is not, and answers how
// the command line ends that would have ended with err.
func (f *fleet) tellCut(m *member, err error) error {
	if !m.exit.OutputCut || f.wasKilled() {
		return err
	}
	f.console.say("the output of %s was cut: %s", m.Name, cutText(m.exit))
	if err == nil && m.exit.Cause != procession.CauseExited {
		return exitStatus(codeEngine)
	}
	return err
}

// tellLost says how much of the output was lost because it was given up, and
// answers how the command line ends that would have ended with err. Nothing is said
// after a kill, which does not wait for readers.
func (f *fleet) tellLost(err error) error {
	n := f.console.stdout.losses() + f.console.stderr.losses()
	if n == 0 || f.wasKilled() {
		return err
	}
	f.console.say("%d bytes of the output are lost, because nobody read them", n)
	if err == nil {
		return exitStatus(codeEngine)
	}
	return err
}

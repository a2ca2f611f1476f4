package local

import (
	"context"
	"strings"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/screen"
)

// stopAsked is stopBy, for a signal: if something is being ended already, it says what
// the signal does not end any sooner.
func (f *Fleet) stopAsked(end func(id string)) {
	go func() {
		all := f.ending()
		f.stopBy(end)
		if len(all) > 0 {
			f.Console.Say("%s", waitingText(all, time.Now()))
		}
	}()
}

// WaitsFor says what is being ended, and how to end it at once.
func (f *Fleet) WaitsFor() string { return waitingText(f.ending(), time.Now()) }

// ending are the processes that are being ended.
func (f *Fleet) ending() (ending []procession.Info) {
	all, _ := f.Engine.List(context.Background()) // none when the engine is closed
	for _, info := range all {
		if !info.KillAt.IsZero() {
			ending = append(ending, info)
		}
	}
	return ending
}

// waitingText says which processes are waited for, and for how long at most.
func waitingText(ending []procession.Info, now time.Time) string {
	var all []string
	for _, info := range ending {
		all = append(all, info.Name+" (at most "+screen.Duration(max(info.KillAt.Sub(now), 0))+")")
	}
	if len(all) == 0 {
		return "stopping; Ctrl-C again to kill"
	}
	return "waiting for " + strings.Join(all, ", ") + " to end; Ctrl-C again to kill"
}

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
func (r *Runner) stopAsked(end func(id string)) {
	go func() {
		all := r.ending()
		r.stopBy(end)
		if len(all) > 0 {
			r.Console.Say("%s", waitingText(all, time.Now()))
		}
	}()
}

// WaitsFor is what the user is told while processes are being ended: which, for how long at
// most, and how to kill them.
func (r *Runner) WaitsFor() string { return waitingText(r.ending(), time.Now()) }

// ending are the processes that are being ended.
func (r *Runner) ending() (ending []procession.Info) {
	all, _ := r.Engine.List(context.Background()) // none when the engine is closed
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

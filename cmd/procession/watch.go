package main

import (
	"context"
	"fmt"
	"iter"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// watch says what the engine does by itself: it starts processes again.
func (r *poolRun) watch(events iter.Seq[procession.Event]) {
	exits := map[string]procession.Exit{} // of incarnations that will be followed by another
	for event := range events {
		switch e := event.(type) {
		case *messages.ProcessExited:
			if !e.Final {
				exits[e.ID] = e.Exit
			}
		case *messages.ProcessRestarting:
			r.restarting(e, exits[e.ID])
		case *messages.EventsLost:
			r.stage.say(fmt.Sprintf("%d restarts and the like were missed here", e.N))
		}
	}
}

// restarting says that a process has ended and will be started again.
func (r *poolRun) restarting(e *messages.ProcessRestarting, exit procession.Exit) {
	info, err := r.fleet.engine.Info(context.Background(), e.ID)
	if err != nil {
		return // it is all over
	}
	offset := info.OutputBytes
	if info.Restarts >= e.Incarnation {
		offset = info.Mark // it has been started already
	}
	track := r.stage.tracks[info.Name]
	<-track.begun // which may be said later than it has ended
	track.say(offset, true, fmt.Sprintf("exited: %s, restarting in %s", endText(exit), durationText(e.Delay)))
}

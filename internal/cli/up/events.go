package up

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/screen"
	"github.com/procession-go/procession/internal/poolfile"
	"github.com/procession-go/procession/messages"
)

// listen has the events of the engine decided upon, in their order.
func (r *poolRun) listen(events iter.Seq[procession.Event]) {
	for event := range events {
		r.decide(func() { r.on(event) })
	}
}

func (r *poolRun) on(event procession.Event) {
	switch e := event.(type) {
	case *messages.ProcessStarted:
		if i := r.find(e.ID); i >= 0 {
			r.began(i, e.ID, e.PID)
		}
	case *messages.ProcessReady:
		if i := r.find(e.ID); i >= 0 {
			r.becameReady(i)
		}
	case *messages.ProcessExited:
		if i := r.find(e.ID); i >= 0 {
			r.exited(i, e)
		}
	case *messages.ProcessRestarting:
		if i := r.find(e.ID); i >= 0 {
			r.restarting(i, screen.Duration(e.Delay))
		}
	case *messages.EventsLost:
		r.display.say(fmt.Sprintf("%d restarts and the like were missed here", e.N))
		r.catchUp()
	}
}

func (r *poolRun) exited(i int, e *messages.ProcessExited) {
	r.states[i].exit, r.states[i].end = e.Exit, e.End
	if e.Final {
		r.ended(i)
	}
}

// find is the process with an ID, -1 if there is none any more.
func (r *poolRun) find(id string) int {
	if i := slices.IndexFunc(r.states, func(c state) bool { return c.id == id }); i >= 0 {
		return i
	}
	info, err := r.runner.Engine.Info(context.Background(), id)
	if err != nil {
		return -1
	}
	return slices.IndexFunc(r.pool.Processes, func(p poolfile.Process) bool { return p.Spec.Name == info.Name })
}

// catchUp asks for what the events have not told.
func (r *poolRun) catchUp() {
	all, _ := r.runner.Engine.List(context.Background(), procession.Selector{}) // an engine that is closed has told all who wait
	for _, info := range all {
		i := r.find(info.ID)
		r.began(i, info.ID, info.PID)
		if info.Ready || slices.ContainsFunc(info.Incarnations, func(run messages.Incarnation) bool { return run.Ready }) {
			r.becameReady(i)
		}
		r.states[i].restarts = info.Restarts
		if info.Exit != nil {
			r.exited(i, &messages.ProcessExited{ID: info.ID, Exit: *info.Exit, Final: true, End: info.OutputBytes})
		}
	}
}

//go:build linux

package faults

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// A stop that comes in whatever moment of a process that is started again and again is
// told like any other.

// story is what was told of one incarnation.
type story struct {
	told  []string
	cause procession.Cause
}

// stories are those of a process's incarnations, until its last has ended.
func stories(events func(yield func(procession.Event) bool), id string) (all []story) {
	add := func(what string) { all[len(all)-1].told = append(all[len(all)-1].told, what) }
	for event := range events {
		switch e := event.(type) {
		case *messages.ProcessStarted:
			if e.ID == id {
				all = append(all, story{})
				add("started")
			}
		case *messages.ProcessStopping:
			if e.ID == id {
				add("stopping")
			}
		case *messages.ProcessExited:
			if e.ID == id && !slices.Contains(all[len(all)-1].told, "exited") { // or it has waited for its restart
				add("exited")
				all[len(all)-1].cause = e.Exit.Cause
			}
			if e.ID == id && e.Final {
				return all
			}
		}
	}
	return all
}

func TestEndedAStopOfARestartIsTold(t *testing.T) {
	for name, line := range map[string]string{
		"exit 1":            `exit 1`,
		"after a moment":    `sleep 0.001; exit 1`,
		"with a descendant": `setsid sleep 1000 >/dev/null 2>&1 & exit 1`,
		"killed":            `kill -KILL $$`,
	} {
		for end, ask := range map[string]func(r *run, id string) error{
			"Kill":     func(r *run, id string) error { _, err := r.eng.Kill(r.ctx, id); return err },
			"Release":  func(r *run, id string) error { return r.eng.Release(r.ctx, id) },
			"Shutdown": func(r *run, _ string) error { _, err := r.eng.Shutdown(r.ctx); return err },
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				row(t, 5, func(r *run) {
					r.alone()
					ctx, cancel := context.WithTimeout(r.ctx, wholeGrace)
					defer cancel()
					events := r.eng.Events(ctx)
					spec := procession.Shell(line)
					spec.Restart = procession.Policy{When: procession.Always, MaxRestarts: -1, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond}
					id := r.start(spec)
					time.Sleep(10*time.Millisecond + time.Duration(r.n%50)*200*time.Microsecond)
					require.NoError(r, ask(r, id))
					all := stories(events, id)
					require.NotEmpty(r, all)
					for i, s := range all {
						want := []string{"started", "exited"}
						if s.cause != procession.CauseExited {
							assert.Equal(r, len(all)-1, i, "one that is not the last was ended")
							want = []string{"started", "stopping", "exited"}
						} else if i == len(all)-1 && len(s.told) == 3 { // it was drained
							want = []string{"started", "stopping", "exited"}
						}
						assert.Equal(r, want, s.told, "incarnation %d, %v", i, s.cause)
					}
					r.nothingLeft()
				})
			})
		}
	}
}

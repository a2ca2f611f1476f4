//go:build linux

package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// What LeaveDescendants has left alive is ended like everything else, when its time has
// come.

// counter tells when it hears the stop signal, and ends some time after it.
const counter = `n=1000; trap 'echo heard >>"$TOLD"; [ $n -lt 6 ] || n=6' TERM; echo on >>"$TOLD"
	while [ $n -gt 0 ]; do sleep 0.1; n=$((n - 1)); done; echo done >>"$TOLD"`

// leaves are ways to leave a daemon alive, which $DAEMON is.
var leaves = map[string]string{
	"a session":     `setsid bash -c "$DAEMON" >/dev/null 2>&1 & `,
	"the group":     `bash -c "$DAEMON" >/dev/null 2>&1 & `,
	"a double fork": `(setsid sh -c '(bash -c "$DAEMON" &)' >/dev/null 2>&1 &); `,
}

// leave starts a process that leaves a daemon alive, and waits until it has ended.
func (r *run) leave(how, daemon string, grace time.Duration) (id string) {
	spec := procession.Shell(leaves[how] + `until [ -s "$TOLD" ]; do sleep 0.02; done`)
	spec.LeaveDescendants, spec.Grace, spec.Env = true, grace, map[string]string{"DAEMON": daemon}
	id = r.start(spec)
	exit, err := r.eng.Wait(r.ctx, id)
	require.NoError(r, err)
	assert.True(r, exit.Success(), "%v", exit)
	assert.Equal(r, "on\n", r.said(), "it is left alive")
	return id
}

func TestEndedDaemonsHearItOnce(t *testing.T) {
	// later does the one, and 100 ms after it began the other.
	later := func(one, other func(r *run, id string)) func(r *run, id string) {
		return func(r *run, id string) {
			done := meanwhile(100*time.Millisecond, func() { one(r, id) })
			other(r, id)
			<-done
		}
	}
	kill := func(r *run, id string) { r.kill(id) }
	shutdown := func(r *run, _ string) { r.shutdown() }
	release := func(r *run, id string) { r.release(id) }
	for how := range leaves {
		for name, end := range map[string]func(r *run, id string){
			"Kill": kill, "Shutdown": shutdown,
			"Kill, Shutdown": later(kill, shutdown), "Kill, Kill": later(kill, kill), "Kill, Release": later(kill, release),
			"Release, Shutdown": later(release, shutdown),
		} {
			t.Run(how+", "+name, func(t *testing.T) {
				row(t, 20, func(r *run) {
					r.alone()
					id := r.leave(how, counter, 0)
					end(r, id)
					assert.Equal(r, "on\nheard\ndone\n", r.said())
					r.nothingLeft()
				})
			})
		}
	}
}

// A Shutdown tells a daemon at once, whoever else it waits for, and gives it the grace.
func TestEndedDaemonsHaveTheWholeGrace(t *testing.T) {
	const grace = 3 * time.Second
	const daemon = `trap 'echo heard >>"$TOLD"; sleep $TAKES; echo slept $? >>"$TOLD"; exit' TERM; echo on >>"$TOLD"; while :; do sleep 0.1; done`
	for how := range leaves {
		for _, takes := range []string{"0.5", "1.5"} {
			t.Run(how+", "+takes+" s", func(t *testing.T) {
				row(t, 50, func(r *run) {
					r.alone(procession.WithGrace(grace))
					deaf := procession.Shell(`trap '' TERM; echo on; exec sleep 1000`)
					deaf.Grace = grace
					r.startOn(deaf)
					r.leave(how, "TAKES="+takes+"; "+daemon, grace)
					done := make(chan error, 1)
					begun := time.Now()
					go func() {
						_, err := r.eng.Shutdown(r.ctx)
						done <- err
					}()
					r.hears("heard")
					assert.Less(r, time.Since(begun), grace/2, "it is told late")
					require.NoError(r, <-done)
					assert.GreaterOrEqual(r, time.Since(begun), grace)
					assert.Equal(r, "on\nheard\nslept 0\n", r.said())
					r.nothingLeft()
				})
			})
		}
	}
}

// A leader that leaves one without its environment in its own group.
func TestEndedADaemonInTheGroupIsEnded(t *testing.T) {
	for name, line := range map[string]string{
		"env -i":               `env -i sleep 1000 & echo $! >"$TOLD.pids"; sleep .2; exit 1`,
		"env -i, an orphan":    `(env -i sleep 1000 & echo $! >"$TOLD.pids"); sleep .2; exit 1`,
		"env -i, no output":    `env -i sleep 1000 >/dev/null 2>&1 & echo $! >"$TOLD.pids"; sleep .2; exit 0`,
		"with its environment": `sleep 1000 & echo $! >"$TOLD.pids"; sleep .2; exit 1`,
	} {
		for end, ask := range map[string]func(r *run, id string){
			"Kill":     func(r *run, id string) { r.kill(id) },
			"Shutdown": func(r *run, _ string) { r.shutdown() },
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				row(t, 20, func(r *run) {
					r.alone()
					spec := procession.Shell(line)
					spec.LeaveDescendants = true
					id := r.start(spec)
					_, err := r.eng.Wait(r.ctx, id)
					require.NoError(r, err)
					assert.Len(r, r.livingPIDs(), 1, "it is left alive")
					ask(r, id)
					r.nothingLeft()
				})
			})
		}
	}
}

// A Kill in the first moments of an incarnation ends what the one before has left.
func TestEndedWhatEveryIncarnationHasLeft(t *testing.T) {
	for name, left := range map[string]string{
		"deaf":            `setsid sh -c "trap '' TERM; exec sleep 1000" &`,
		"deaf, no output": `setsid sh -c "trap '' TERM; exec sleep 1000" >/dev/null 2>&1 &`,
		"deaf, forked":    `(trap '' TERM; while :; do sleep 1000; done) >/dev/null 2>&1 &`,
		"it hears":        `setsid sleep 1000 >/dev/null 2>&1 &`,
	} {
		for end, ask := range map[string]func(r *run, id string) error{
			"Kill":     func(r *run, id string) error { _, err := r.eng.Kill(r.ctx, id); return err },
			"Shutdown": func(r *run, _ string) error { _, err := r.eng.Shutdown(r.ctx); return err },
		} {
			t.Run(name+", "+end, func(t *testing.T) {
				row(t, 1, func(r *run) {
					r.alone(procession.WithGrace(300 * time.Millisecond))
					events := r.eng.Events(r.ctx)
					spec := procession.Shell(`[ ! -e "$TOLD" ] || exec sleep 1000; : >"$TOLD"; ` + left + ` exit 1`)
					spec.LeaveDescendants, spec.Grace = true, 300*time.Millisecond
					spec.Restart = procession.Policy{When: procession.OnFailure, MinBackoff: time.Millisecond}
					id := r.start(spec)
					for event := range events {
						if s, ok := event.(*messages.ProcessStarted); ok && s.ID == id && s.Incarnation == 1 {
							break
						}
					}
					time.Sleep(time.Duration(r.n%21) * 100 * time.Microsecond)
					require.NoError(r, ask(r, id))
					r.nothingLeft()
				})
			})
		}
	}
}

// What several incarnations have left is ended by one Kill, and each hears it once.
func TestEndedWhatManyIncarnationsHaveLeftHearsItOnce(t *testing.T) {
	const incarnations = 4
	row(t, 5, func(r *run) {
		spec := procession.Shell(`
			n=$(grep -c on "$TOLD" 2>/dev/null); [ "$n" != 4 ] || { echo on; exec sleep 1000; }
			setsid bash -c "$COUNTER" >/dev/null 2>&1 &
			until [ "$(grep -c on "$TOLD" 2>/dev/null)" = $((n + 1)) ]; do sleep 0.02; done; exit 1`)
		spec.LeaveDescendants = true
		spec.Restart = procession.Policy{When: procession.OnFailure, MaxRestarts: -1, MinBackoff: time.Millisecond}
		id := r.startOn(spec)
		r.kill(id)
		var want []string
		for _, word := range []string{"done\n", "heard\n", "on\n"} {
			for range incarnations {
				want = append(want, word)
			}
		}
		assert.Equal(r, want, r.lines(), fmt.Sprint(id))
		r.nothingLeft()
	})
}

// A release that lets descendants live on ends the leader alone. What its handler has started
// by the time at which the whole tree is to end is still its own.
func TestEndedAHandlerBeforeTheStopBecameWider(t *testing.T) {
	for _, handler := range handlers {
		for end, ask := range map[string]func(r *run, id string){
			"Kill": func(r *run, id string) {
				if _, err := r.eng.Kill(r.ctx, id); err != nil {
					require.ErrorIs(r, err, procession.ErrNotFound)
				}
			},
			"Shutdown": func(r *run, _ string) { r.shutdown() },
		} {
			t.Run(handler.name+", "+end, func(t *testing.T) {
				spec := handler.spec(t)
				spec.LeaveDescendants = true
				row(t, 2, func(r *run) {
					r.alone()
					id := r.startOn(spec)
					released := make(chan struct{})
					go func() {
						defer close(released)
						r.eng.Release(r.ctx, id)
					}()
					time.Sleep(time.Duration(50+r.n%5*50) * time.Millisecond) // it is in its handler
					ask(r, id)
					<-released
					assert.Equal(r, "slept 0\n", r.said())
					r.nothingLeft()
				})
			})
		}
	}
}

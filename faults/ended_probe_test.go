//go:build linux

package faults

import (
	"bytes"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// An attempt of a probe is over when everything that it has started is, and none is
// under way any more, and none begins, once its process is being ended.

// probing is a process that sleeps, with a probe that is tried all the time.
func probing(line, attempt string) procession.Spec {
	spec := procession.Shell(line)
	spec.Ready = &procession.Probe{Exec: []string{"sh", "-c", attempt}, Interval: time.Millisecond}
	return spec
}

// attempts leave something alive, which is a sleep for as long as 1000 s and the process
// ID of the attempt's leader. It is deaf, or hears.
var attempts = map[string]string{
	"a session":       `setsid sleep 1000.$$ & exit 1`,
	"a double fork":   `(setsid sh -c "sleep 1000.$$ &" >/dev/null 2>&1 &); exit 1`,
	"the group":       `sleep 1000.$$ & exit 1`,
	"a deaf session":  `setsid sh -c "trap '' TERM; exec sleep 1000.$$" & exit 1`,
	"two of them":     `setsid sleep 1000.$$ & sleep 1000.$$ & exit 1`,
	"it stays itself": `setsid sleep 1000.$$ & sleep 0.02; exit 1`,
}

// underWay are the attempts of which something is alive at the same moment: what is
// there before a look at everybody and after it.
func (r *run) underWay() (attempts map[string]bool) {
	seen := map[int]string{}
	for _, p := range testkit.Carrying("TOLD=" + r.told) {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		if of, isOne := bytes.CutPrefix(cmdline, []byte("sleep\x001000.")); isOne {
			seen[p.PID] = string(of)
		}
	}
	attempts = map[string]bool{}
	for pid, of := range seen {
		if testkit.Alive(pid) {
			attempts[of] = true
		}
	}
	return attempts
}

func TestEndedNothingIsLeftOfAProbe(t *testing.T) {
	exits := func(r *run, id string) {
		_, err := r.eng.Wait(r.ctx, id)
		require.NoError(r, err)
		require.EventuallyWithT(r, func(c *assert.CollectT) {
			assert.Empty(c, testkit.Carrying("TOLD="+r.told))
		}, wholeGrace, tick, "nothing is left")
	}
	for kind, attempt := range attempts {
		for name, end := range map[string]struct {
			line string
			ask  func(r *run, id string)
		}{
			"Kill":     {"exec sleep 1000", func(r *run, id string) { r.kill(id) }},
			"Release":  {"exec sleep 1000", func(r *run, id string) { r.release(id) }},
			"Shutdown": {"exec sleep 1000", func(r *run, _ string) { r.shutdown() }},
			"it exits": {`exec sleep "$AFTER"`, exits},
		} {
			t.Run(kind+", "+name, func(t *testing.T) {
				row(t, 5, func(r *run) {
					r.alone()
					spec := probing(end.line, attempt)
					after := time.Duration(r.n%25) * 2 * time.Millisecond
					spec.Env = map[string]string{"AFTER": fmt.Sprint(after.Seconds())}
					id := r.start(spec)
					if name != "it exits" {
						time.Sleep(after)
					}
					end.ask(r, id)
					r.nothingLeft()
					time.Sleep(20 * time.Millisecond)
					r.nothingLeft()
				})
			})
		}
	}
}

func TestEndedOneAttemptOfAProbeIsUnderWay(t *testing.T) {
	for kind, attempt := range attempts {
		t.Run(kind, func(t *testing.T) {
			row(t, 5, func(r *run) {
				id := r.start(probing("exec sleep 1000", attempt))
				for begun := time.Now(); time.Since(begun) < 300*time.Millisecond; {
					if !assert.LessOrEqual(r, len(r.underWay()), 1) {
						break
					}
				}
				r.kill(id)
				r.nothingLeft()
			})
		})
		t.Run(kind+", and it becomes ready", func(t *testing.T) {
			row(t, 10, func(r *run) {
				succeeds := attempt[:len(attempt)-len("exit 1")] + `[ -e "$TOLD" ]`
				id := r.start(probing(`sleep 1; : >"$TOLD"; exec sleep 1000`, succeeds))
				require.NoError(r, r.eng.WaitReady(r.ctx, id))
				require.EventuallyWithT(r, func(c *assert.CollectT) {
					assert.Empty(c, r.underWay())
				}, wholeGrace, tick, "no attempt is under way")
				info, err := r.eng.Info(r.ctx, id)
				require.NoError(r, err)
				assert.True(r, testkit.Alive(info.PID), "its leader has ended")
				r.kill(id)
				r.nothingLeft()
			})
		})
	}
}

// A probe that does not listen is killed when its process is stopped.
func TestEndedADeafProbeTakesNoGrace(t *testing.T) {
	for kind, attempt := range map[string]string{
		"a shell":              `trap '' TERM; : >"$TOLD"; sleep 1000`,
		"its child":            `(trap '' TERM; : >"$TOLD"; sleep 1000) & exit 1`,
		"in a session":         `setsid sh -c 'trap "" TERM; : >"$TOLD"; sleep 1000' & wait`,
		"all signals":          `trap '' HUP INT QUIT TERM USR1 USR2; : >"$TOLD"; while :; do sleep 1000; done`,
		"a handler of its own": `trap 'sleep 1000' TERM; : >"$TOLD"; while :; do sleep 0.1; done`,
	} {
		for name, ask := range map[string]func(r *run, id string){
			"Kill":     func(r *run, id string) { r.kill(id) },
			"Release":  func(r *run, id string) { r.release(id) },
			"Shutdown": func(r *run, _ string) { r.shutdown() },
		} {
			t.Run(kind+", "+name, func(t *testing.T) {
				row(t, 20, func(r *run) {
					r.alone()
					id := r.start(probing("exec sleep 1000", attempt))
					require.EventuallyWithT(r, func(c *assert.CollectT) {
						assert.FileExists(c, r.told)
					}, wholeGrace, tick, "the probe is deaf")
					ask(r, id)
					r.nothingLeft()
				})
			})
		}
	}
}

// A handler has its grace beside a probe.
func TestEndedHandlersFinishBesideAProbe(t *testing.T) {
	for kind, attempt := range attempts {
		t.Run(kind, func(t *testing.T) {
			spec := probing(`exec bash -c "$H"`, attempt)
			row(t, 5, func(r *run) { finishes(r, spec) })
		})
	}
}

//go:build linux

package faults

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// A leader that exits by itself. What it leaves is told to end when nothing more is
// said, has its grace, and is heard until it has ended.

// orphans are what a leader leaves that exits 3 by itself: when they are told to end they
// say that it is the last, and work on.
var orphans = []struct {
	name, line string
	last       []string
}{
	{"in the group", `(` + lastWords + `) &`, []string{"last"}},
	{"in a session", `setsid bash -c "$LAST" &`, []string{"last"}},
	{"a double fork", `(setsid sh -c 'bash -c "$LAST" &' &)`, []string{"last"}},
	{"two of them", `(` + lastWords + `) & setsid bash -c "$LAST" &`, []string{"last", "last"}},
	{"with pauses", `(trap 'echo one; sleep 0.5; echo two; sleep 0.5; echo last; echo done >>"$TOLD"; exit' TERM; ` + stays + `) &`,
		[]string{"one", "two", "last"}},
	{"a lot", `(trap 'seq 20000; echo last; sleep 0.3; seq 20000; echo done >>"$TOLD"; exit' TERM; ` + stays + `) &`, nil},
}

const (
	lastWords = `trap 'echo last; sleep 0.3; echo done >>"$TOLD"; exit' TERM; ` + stays
	stays     = `echo on >>"$TOLD.on"; while :; do sleep 0.1; done`
)

// orphaned is a process of the leader's name that leaves what a line starts.
func orphaned(leader, line string, talks bool) procession.Spec {
	if talks { // so that it is drained for a long time
		line = strings.ReplaceAll(line, "while :; do sleep", "while :; do echo talk; sleep")
	}
	spec := bash(line + "\n" + `until [ "$(wc -l 2>/dev/null <"$TOLD.on")" = $N ]; do sleep 0.02; done; exit 3`)
	spec.Command = leader
	spec.Env = map[string]string{"LAST": lastWords, "N": "1"}
	if talks {
		spec.Env["LAST"] = strings.ReplaceAll(lastWords, "while :; do sleep", "while :; do echo talk; sleep")
	}
	if strings.Count(line, " &") == 2 && !strings.HasPrefix(line, "(setsid") {
		spec.Env["N"] = "2"
	}
	return spec
}

func TestEndedOrphansOfALeaderFinish(t *testing.T) {
	for _, o := range orphans {
		for _, leader := range []string{"bash", "sh"} {
			t.Run(o.name+", "+leader, func(t *testing.T) {
				row(t, 20, func(r *run) {
					id := r.start(orphaned(leader, o.line, false))
					exit, err := r.eng.Wait(r.ctx, id)
					require.NoError(r, err)
					assert.Equal(r, 3, exit.Code, "%v", exit)
					assert.Equal(r, procession.CauseExited, exit.Cause)
					r.finished(id, o.last)
					r.kill(id)
					r.nothingLeft()
				})
			})
		}
	}
}

// finished wants the orphans to have said the last, or much more, and to finish.
func (r *run) finished(id string, last []string) {
	out := strings.ReplaceAll(r.output(id), "talk\n", "")
	if last != nil {
		assert.Equal(r, strings.Join(last, "\n")+"\n", out)
	} else {
		assert.Equal(r, 40001, strings.Count(out, "\n"))
		assert.True(r, strings.HasSuffix(out, "19999\n20000\n"), "its end is lost")
	}
	require.EventuallyWithT(r, func(c *assert.CollectT) {
		assert.Equal(c, max(1, strings.Count(strings.Join(last, " "), "last")), strings.Count(r.said(), "done\n"))
	}, wholeGrace, tick, "it is done")
}

// A request while what the leader has left is still heard.
func TestEndedOrphansFinishThoughTheyAreKilledInTheDrain(t *testing.T) {
	for name, ask := range map[string]func(r *run, id string){
		"Kill": func(r *run, id string) { r.kill(id) },
		"two Kills": func(r *run, id string) {
			go r.eng.Kill(r.ctx, id)
			time.Sleep(20 * time.Millisecond)
			r.kill(id)
		},
	} {
		for _, o := range orphans {
			for _, talks := range []bool{false, true} {
				t.Run(name+", "+o.name+map[bool]string{true: ", it talks"}[talks], func(t *testing.T) {
					row(t, 20, func(r *run) {
						id := r.start(orphaned("bash", o.line, talks))
						info, err := r.eng.Info(r.ctx, id)
						require.NoError(r, err)
						require.EventuallyWithT(r, func(c *assert.CollectT) {
							assert.False(c, testkit.Alive(info.PID))
						}, wholeGrace, tick, "its leader has exited")
						ask(r, id)
						r.finished(id, o.last)
						exit, err := r.eng.Wait(r.ctx, id)
						require.NoError(r, err)
						assert.Equal(r, 3, exit.Code, "%v", exit)
						r.nothingLeft()
					})
				})
			}
		}
	}
}

// The words of handlers are kept whoever has ended the leader.
func TestEndedOrphansOfAKilledLeaderFinish(t *testing.T) {
	for _, o := range orphans[:3] {
		t.Run(o.name, func(t *testing.T) {
			row(t, 20, func(r *run) {
				spec := orphaned("bash", o.line, false)
				spec.Args[1] = strings.ReplaceAll(spec.Args[1], "exit 3", "kill -KILL $$")
				id := r.start(spec)
				exit, err := r.eng.Wait(r.ctx, id)
				require.NoError(r, err)
				assert.Equal(r, "SIGKILL", exit.Signal)
				r.finished(id, o.last)
				r.kill(id)
				r.nothingLeft()
			})
		})
	}
}

// One that does not listen has its grace, and is killed.
func TestEndedADeafOrphanHasItsGrace(t *testing.T) {
	row(t, 20, func(r *run) {
		spec := procession.Shell(`(trap '' TERM; echo $$ >"$TOLD.pids"; : >"$TOLD"; exec sleep 1000) & until [ -e "$TOLD" ]; do sleep 0.02; done; exit 3`)
		spec.Grace = time.Second
		id := r.start(spec)
		info, err := r.eng.Info(r.ctx, id)
		require.NoError(r, err)
		require.EventuallyWithT(r, func(c *assert.CollectT) {
			assert.False(c, testkit.Alive(info.PID))
		}, wholeGrace, tick, "its leader has exited")
		begun := time.Now()
		exit := r.kill(id)
		assert.GreaterOrEqual(r, time.Since(begun), spec.Grace-100*time.Millisecond)
		assert.Equal(r, 3, exit.Code)
		r.nothingLeft()
	})
}

// A signal by Engine.Signal is no stop: who has heard it hears the stop signal, too.
func TestEndedASignalIsNoStop(t *testing.T) {
	row(t, 20, func(r *run) {
		id := r.startOn(bash(`n=2000; trap 'echo heard >>"$TOLD"; n=$((n - 1960))' TERM; echo on; while [ $n -gt 0 ]; do sleep 0.05; n=$((n - 1)); done; exit 4`))
		require.NoError(r, r.eng.Signal(r.ctx, id, syscall.SIGTERM))
		r.hears("heard")
		assert.Equal(r, 4, r.kill(id).Code)
		assert.Equal(r, "heard\nheard\n", r.said())
		r.nothingLeft()
	})
}

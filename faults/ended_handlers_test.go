//go:build linux

package faults

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// A handler of the stop signal that starts something to clean up with. Whatever it
// starts is its own affair, and must not be ended before the grace is over.

const (
	// cleanUp is what a handler does.
	cleanUp = `sleep 0.5; s=$?; echo slept $s; echo slept $s >>"$TOLD"`
	// handlerBash is a program with such a handler.
	handlerBash = `trap '` + cleanUp + `; exit 0' TERM; echo on; sleep 100 & wait`
)

// handlers are programs with such a handler, of several kinds.
var handlers = []struct {
	name string
	spec func(t *testing.T) procession.Spec
}{
	{"bash", func(*testing.T) procession.Spec { return bash(handlerBash) }},
	{"dash", func(t *testing.T) procession.Spec {
		testkit.Needs(t, "dash")
		return procession.Spec{Command: "dash", Args: []string{"-c", handlerBash}}
	}},
	{"python", func(t *testing.T) procession.Spec {
		return python(t, `
def term(*_):
    s = subprocess.call(["sleep", "0.5"])
    print("slept", s, flush=True)
    tell("slept %d" % s)
    os._exit(0)
signal.signal(signal.SIGTERM, term)
os.write(1, b"on\n")
while True:
    time.sleep(1)`)
	}},
	{"perl", func(t *testing.T) procession.Spec {
		return perl(t, `
$SIG{TERM} = sub { my $s = system("sleep", "0.5"); print "slept $s\n"; tell_("slept $s"); exit 0 };
print "on\n";
sleep 1 while 1;`)
	}},
	{"bash, a pipeline", handlerThat(`sleep 0.5 | cat; set -- "${PIPESTATUS[@]}"; s=$(($1 + $2))`)},
	{"bash, a bash", handlerThat(`bash -c 'sleep 0.5; s=$?; :; exit $s'; s=$?`)},
	{"bash, a subshell", handlerThat(`(sleep 0.5; exit $?); s=$?`)},
	{"bash, another session", handlerThat(`setsid -w sleep 0.5; s=$?`)},
	{"bash, in the background", handlerThat(`sleep 0.5 & wait $!; s=$?`)},
	{"bash, one after the other", handlerThat(`s=0; for i in 1 2 3 4 5; do sleep 0.1 || s=$?; done`)},
}

// handlerThat is a bash whose handler does something else, which sets s.
func handlerThat(cleans string) func(*testing.T) procession.Spec {
	return func(*testing.T) procession.Spec {
		return bash("term() { " + cleans + `; echo slept $s; echo slept $s >>"$TOLD"; exit 0; }; trap term TERM; echo on; sleep 100 & wait`)
	}
}

func TestEndedHandlersFinish(t *testing.T) {
	for _, h := range handlers {
		t.Run(h.name, func(t *testing.T) {
			spec := h.spec(t)
			row(t, 20, func(r *run) { finishes(r, spec) })
		})
		t.Run(h.name+", beside a daemon", func(t *testing.T) {
			spec := h.spec(t)
			spec.Args = append([]string{"-c", `(setsid sleep 1000 &); exec "$0" "$@"`, spec.Command}, spec.Args...)
			spec.Command = "/bin/sh"
			row(t, 20, func(r *run) { finishes(r, spec) })
		})
	}
}

// finishes starts a program with a handler, kills it, and wants the handler to finish.
func finishes(r *run, spec procession.Spec) {
	r.mayBeLate = true
	id := r.startOn(spec)
	r.kill(id)
	assert.Equal(r, "on\nslept 0\n", r.output(id))
	assert.Equal(r, "slept 0\n", r.said())
	r.nothingLeft()
}

// seconds are requests that follow a Kill.
var seconds = []struct {
	name string
	ask  func(r *run, id string)
}{
	{"Kill", func(r *run, id string) { r.kill(id) }},
	{"three Kills", func(r *run, id string) {
		var all sync.WaitGroup
		for range 3 {
			all.Go(func() { r.eng.Kill(r.ctx, id) })
		}
		all.Wait()
	}},
	{"KillAll", func(r *run, _ string) {
		_, err := r.eng.KillAll(r.ctx, procession.Selector{})
		require.NoError(r, err)
	}},
	{"Release", func(r *run, id string) { r.release(id) }},
	{"Shutdown", func(r *run, _ string) { r.shutdown() }},
	{"Release, Shutdown", func(r *run, id string) {
		released := meanwhile(100*time.Millisecond, func() { r.eng.Release(r.ctx, id) })
		r.shutdown()
		<-released
	}},
}

func TestEndedHandlersFinishAfterASecondRequest(t *testing.T) {
	for _, h := range handlers[:4] {
		for _, second := range seconds {
			t.Run(h.name+", Kill, "+second.name, func(t *testing.T) {
				spec := h.spec(t)
				row(t, 20, func(r *run) {
					r.alone()
					r.mayBeLate = true
					id := r.startOn(spec)
					first := meanwhile(150*time.Millisecond, func() { r.kill(id) })
					second.ask(r, id)
					<-first
					assert.Equal(r, "slept 0\n", r.said())
					r.nothingLeft()
				})
			})
		}
	}
	for _, second := range seconds {
		t.Run("Timeout, "+second.name, func(t *testing.T) {
			spec := bash(handlerBash)
			spec.Timeout = 2 * time.Second
			row(t, 50, func(r *run) {
				r.alone()
				r.mayBeLate = true
				id := r.startOn(spec)
				require.EventuallyWithT(r, func(c *assert.CollectT) {
					info, err := r.eng.Info(r.ctx, id)
					assert.NoError(r, err)
					assert.Equal(c, procession.Stopping, info.State)
				}, rowGrace, tick, "its time is over")
				time.Sleep(150 * time.Millisecond)
				second.ask(r, id)
				assert.Equal(r, "slept 0\n", r.said())
				r.nothingLeft()
			})
		})
	}
}

// Wrappers start a handler, which $H is, and end when they hear the stop signal: at
// once, or before the handler does.
var wrappers = []struct {
	name string
	spec func(t *testing.T) procession.Spec
}{
	{"sh", func(*testing.T) procession.Spec { return procession.Shell(`bash -c "$H" & wait`) }},
	{"sh that ends after 150 ms", func(*testing.T) procession.Spec {
		return procession.Shell(`trap 'sleep 0.15; exit 0' TERM; bash -c "$H" & wait`)
	}},
	{"bash", func(*testing.T) procession.Spec { return bash(`bash -c "$H" & wait`) }},
	{"bash that ends after 150 ms", func(*testing.T) procession.Spec {
		return bash(`trap 'sleep 0.15; exit 0' TERM; bash -c "$H" & wait`)
	}},
	{"two of them", func(*testing.T) procession.Spec { return procession.Shell(`sh -c 'bash -c "$H" & wait' & wait`) }},
	{"two of them, one after the other", func(*testing.T) procession.Spec {
		return procession.Shell(`sh -c 'trap "sleep 0.2; exit" TERM; bash -c "$H" & wait' & trap 'sleep 0.1; exit' TERM; wait`)
	}},
	{"an orphan", func(*testing.T) procession.Spec { return procession.Shell(`(bash -c "$H" &); exec sleep 1000`) }},
	{"python", func(t *testing.T) procession.Spec {
		return python(t, `subprocess.Popen(["bash", "-c", os.environ["H"]]).wait()`)
	}},
	{"perl", func(t *testing.T) procession.Spec { return perl(t, `system("bash", "-c", $ENV{H});`) }},
}

func TestEndedHandlersOutliveTheirWrapper(t *testing.T) {
	for _, w := range wrappers {
		t.Run(w.name, func(t *testing.T) {
			spec := w.spec(t)
			row(t, 20, func(r *run) { finishes(r, spec) })
		})
	}
}

// Handlers outside of the leader's group.
var outsiders = []struct {
	name string
	spec func(t *testing.T) procession.Spec
}{
	{"setsid", func(*testing.T) procession.Spec { return procession.Shell(`setsid bash -c "$H" & wait`) }},
	{"setsid, its parent stays", func(*testing.T) procession.Spec { return bash(`trap 'wait; exit 0' TERM; setsid bash -c "$H" & wait`) }},
	{"setsid in setsid", func(*testing.T) procession.Spec {
		return procession.Shell(`setsid sh -c 'setsid bash -c "$H" & wait' & wait`)
	}},
	{"an orphan in a session", func(*testing.T) procession.Spec { return procession.Shell(`(setsid bash -c "$H" &); exec sleep 1000`) }},
	{"a job in a group", func(*testing.T) procession.Spec { return bash(`set -m; bash -c "$H" & wait`) }},
	{"python, start_new_session", func(t *testing.T) procession.Spec {
		return python(t, `subprocess.Popen(["bash", "-c", os.environ["H"]], start_new_session=True).wait()`)
	}},
	{"perl, setpgrp", func(t *testing.T) procession.Spec {
		return perl(t, `if (!fork) { setpgrp; exec "bash", "-c", $ENV{H} } wait;`)
	}},
}

func TestEndedHandlersThatHaveLeftTheGroupFinish(t *testing.T) {
	for _, o := range outsiders {
		t.Run(o.name, func(t *testing.T) {
			spec := o.spec(t)
			row(t, 20, func(r *run) { finishes(r, spec) })
		})
	}
}

func TestEndedHandlersFinishThoughManyEnd(t *testing.T) {
	const many = 25
	each := func(end func(r *run, id string)) func(r *run, ids []string) {
		return func(r *run, ids []string) {
			var all sync.WaitGroup
			for _, id := range ids {
				all.Go(func() { end(r, id) })
			}
			all.Wait()
		}
	}
	for _, e := range []struct {
		name string
		end  func(r *run, ids []string)
	}{
		{"one Shutdown", func(r *run, _ []string) { r.shutdown() }},
		{"25 Kills", each(func(r *run, id string) { r.kill(id) })},
		{"25 Releases", each(func(r *run, id string) { r.release(id) })},
		{"one KillAll", func(r *run, _ []string) {
			n, err := r.eng.KillAll(r.ctx, procession.Selector{})
			require.NoError(r, err)
			assert.Equal(r, many, n)
		}},
	} {
		for name, line := range map[string]string{
			"H": `exec bash -c "$H"`, "wrappers": `bash -c "$H" & wait`, "sessions": `setsid bash -c "$H" & wait`,
		} {
			t.Run(name+", "+e.name, func(t *testing.T) {
				row(t, 4, func(r *run) {
					r.alone()
					r.mayBeLate = true
					var ids []string
					for range many {
						ids = append(ids, r.start(procession.Shell(line)))
					}
					for _, id := range ids {
						_, err := r.eng.WaitFor(r.ctx, id, on)
						require.NoError(r, err)
					}
					e.end(r, ids)
					assert.Equal(r, many, strings.Count(r.said(), "slept 0\n"), "%q", r.said())
					r.nothingLeft()
				})
			})
		}
	}
}

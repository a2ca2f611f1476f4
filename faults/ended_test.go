//go:build linux

package faults

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// What must be right between the stop signal and the end, in rows: each is one thing
// that is done to one kind of tree, many times, and must never go wrong. The files
// ended_*_test.go have the rows, and the test of all of them in other modes.

const (
	// rowGrace is the grace of a row's processes.
	rowGrace = 10 * time.Second
	// wholeGrace is what nobody takes who has not been waited for in vain, however busy
	// the machine is.
	wholeGrace = rowGrace / 2
)

var rows = flag.Int("rows", 0, "how many runs of each row of the tests of the end there are")

// manyRuns are so many that they are made one row after the other.
const manyRuns = 50

// run is one run of a row: what testify finds wrong with it is counted, and does not
// fail the test at once.
type run struct {
	n    int // which one it is
	ctx  context.Context
	eng  *procession.Engine
	told string // the file in which its programs tell things, which they know as $TOLD
	// mayBeLate is for trees with one that is forked in the very moment of the stop: it
	// loses the signal, which its parent handles, as by kill(1), and is killed in the end;
	// and for what cannot be told from one that has had the signal.
	mayBeLate bool

	mu    sync.Mutex
	wrong string
	late  bool
}

func (r *run) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wrong += fmt.Sprintf(format, args...)
}

// FailNow ends the goroutine that it is called in.
func (r *run) FailNow() { runtime.Goexit() }

// row makes the runs of a row, so many at once, which share an engine, and wants none to
// be wrong. If they are many, half of them are beside busy loops. Rows of which one run is
// made at a time want the machine to be quiet.
func row(t *testing.T, atOnce int, one func(r *run)) {
	t.Helper()
	runs := *rows
	if runs == 0 {
		t.Skip("many processes and graces: run with -rows 1, or 100")
	}
	if atOnce > 1 && runs < manyRuns {
		t.Parallel()
	}
	dir, begun := t.TempDir(), time.Now()
	var wrong []string
	late := 0
	for n := 0; n < runs; n += atOnce {
		if runs >= manyRuns && n >= runs/2 && n-atOnce < runs/2 {
			busy(t)
		}
		for _, r := range batch(t, dir, n, min(atOnce, runs-n), one) {
			if r.wrong != "" {
				wrong = append(wrong, fmt.Sprintf("run %d: %s", r.n, r.wrong))
			}
			if r.late {
				late++
			}
		}
	}
	t.Logf("%d of %d runs are wrong (%.1f s), %d late", len(wrong), runs, time.Since(begun).Seconds(), late)
	assert.LessOrEqual(t, late, max(1, runs/10), "so many have lost the signal")
	assert.Zero(t, len(wrong), "of %d runs so many are wrong, for example: %s", runs, strings.Join(wrong[:min(len(wrong), 2)], "\n"))
}

// batch makes n runs at once.
func batch(t *testing.T, dir string, first, n int, one func(r *run)) []*run {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*rowGrace)
	defer cancel()
	shared, err := procession.New(procession.WithGrace(rowGrace))
	require.NoError(t, err)
	runs := make([]*run, n)
	var all sync.WaitGroup
	for i := range runs {
		r := &run{n: first + i, ctx: ctx, eng: shared, told: filepath.Join(dir, strconv.Itoa(first+i))}
		runs[i] = r
		all.Go(func() {
			defer func() {
				if r.eng != shared {
					r.eng.Shutdown(testkit.Within(t)) // again, perhaps
				}
			}()
			one(r)
		})
	}
	all.Wait()
	_, err = shared.Shutdown(testkit.Within(t))
	assert.NoError(t, err)
	testkit.Reap()
	return runs
}

// busy keeps three loops running until the test ends, or this program.
func busy(t *testing.T) {
	t.Helper()
	for range 3 {
		loop := exec.Command("/bin/sh", "-c", `while kill -0 "$0"; do :; done`, strconv.Itoa(os.Getpid()))
		require.NoError(t, loop.Start())
		t.Cleanup(func() {
			loop.Process.Kill()
			loop.Wait()
		})
	}
}

// alone gives the run an engine of its own.
func (r *run) alone(opts ...procession.Option) {
	eng, err := procession.New(append([]procession.Option{procession.WithGrace(rowGrace)}, opts...)...)
	require.NoError(r, err)
	r.eng = eng
}

// start starts a process that knows $TOLD and the handlers.
func (r *run) start(spec procession.Spec) (id string) {
	env := map[string]string{"TOLD": r.told, "H": handlerBash, "CLEANUP": cleanUp, "COUNTER": counter}
	maps.Copy(env, spec.Env)
	spec.Env, spec.Grace = env, cmp.Or(spec.Grace, rowGrace)
	id, err := r.eng.Start(r.ctx, spec)
	require.NoError(r, err)
	return id
}

var on = regexp.MustCompile(`(^|\r)on\r?$`) // a shell may have said something to its terminal before

// meanwhile begins to do something, and comes back so long after that.
func meanwhile(after time.Duration, do func()) (done <-chan struct{}) {
	begun, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		close(begun)
		do()
	}()
	<-begun
	time.Sleep(after)
	return ended
}

// startOn does so, and waits until it says that it is on.
func (r *run) startOn(spec procession.Spec) (id string) {
	id = r.start(spec)
	_, err := r.eng.WaitFor(r.ctx, id, on)
	require.NoError(r, err)
	return id
}

// kill kills a process, which must not take the whole grace.
func (r *run) kill(id string) (exit procession.Exit) {
	r.within(wholeGrace, "Kill", func() (err error) {
		exit, err = r.eng.Kill(r.ctx, id)
		return err
	})
	return exit
}

// release releases one, likewise.
func (r *run) release(id string) {
	r.within(wholeGrace, "Release", func() error { return r.eng.Release(r.ctx, id) })
}

// shutdown shuts the run's engine down, likewise.
func (r *run) shutdown() {
	r.within(wholeGrace, "Shutdown", func() error {
		_, err := r.eng.Shutdown(r.ctx)
		return err
	})
}

func (r *run) within(limit time.Duration, what string, do func() error) {
	begun := time.Now()
	require.NoError(r, do(), what)
	if took := time.Since(begun); !r.mayBeLate {
		assert.Less(r, took, limit, "%s takes too long", what)
	} else if took >= limit {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.late = true
	}
}

// output is all that a process has printed.
func (r *run) output(id string) string {
	out, err := r.eng.Output(r.ctx, id)
	require.NoError(r, err)
	return out.Stdout()
}

// said is all that was told.
func (r *run) said() string {
	text, _ := os.ReadFile(r.told)
	return string(text)
}

// lines are the lines of that, sorted.
func (r *run) lines() []string { return slices.Sorted(strings.Lines(r.said())) }

// hears waits until something was told.
func (r *run) hears(what string) {
	require.EventuallyWithT(r, func(c *assert.CollectT) {
		assert.Contains(c, r.said(), what)
	}, wholeGrace, tick, "it is told")
}

// nothingLeft wants nothing to be alive that knows $TOLD, or of which $TOLD.pids knows.
func (r *run) nothingLeft() {
	assert.Empty(r, testkit.Carrying("TOLD="+r.told), "they are alive")
	assert.Empty(r, r.livingPIDs(), "they are alive")
}

// livingPIDs are those of the process IDs in $TOLD.pids that are in use.
func (r *run) livingPIDs() (living []int) {
	text, _ := os.ReadFile(r.told + ".pids")
	for _, word := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(word)
		require.NoError(r, err)
		if testkit.Alive(pid) {
			living = append(living, pid)
		}
	}
	return living
}

func bash(line string) procession.Spec {
	return procession.Spec{Command: "bash", Args: []string{"-c", line}}
}

// interpreter is python3 itself: the one that PATH has may be a script that looks for
// another.
var interpreter = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	return strings.TrimSpace(string(out)), err
})

// python is a program in Python, with what most of them need.
func python(t *testing.T, program string, args ...string) procession.Spec {
	t.Helper()
	testkit.Needs(t, "python3")
	command, err := interpreter()
	require.NoError(t, err)
	return procession.Spec{Command: command, Args: append([]string{"-c", pythonPrelude + program}, args...)}
}

const pythonPrelude = `
import os, signal, subprocess, sys, time
def tell(text):
    fd = os.open(os.environ["TOLD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.write(fd, (text + "\n").encode())
    os.close(fd)
`

func perl(t *testing.T, program string) procession.Spec {
	t.Helper()
	testkit.Needs(t, "perl")
	return procession.Spec{Command: "perl", Args: []string{"-e", perlPrelude + program}}
}

const perlPrelude = `
$| = 1;
sub tell_ { open my $f, ">>", $ENV{TOLD} or die; syswrite $f, "$_[0]\n"; close $f }
`

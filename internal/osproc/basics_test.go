//go:build linux

package osproc

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/output"
	"github.com/procession-go/procession/internal/testkit"
)

var basicHosts atomic.Int64

func basicHost(t *testing.T) *Host {
	t.Helper()
	h, err := NewHost(fmt.Sprintf("osproc-basics-%d-%d", os.Getpid(), basicHosts.Add(1)))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, h.Close(time.Now())) })
	return h
}

// watched is a process and what it has told.
type watched struct {
	*Process
	t      *testing.T
	events chan Event
	log    *output.Log
	ended  bool
}

func startWatched(t *testing.T, h *Host, c Command) *watched {
	t.Helper()
	testkit.NeedsFor(t, c.Path)
	testkit.NeedsFor(t, c.Args...)
	w := &watched{t: t, events: make(chan Event, 1000), log: output.NewLog(-1)}
	if c.ID == "" {
		c.ID = t.Name()
	}
	c.Log = w.log
	h.Start(c, func(e Event) { w.events <- e })
	first := w.next()
	if failed, is := first.(*StartFailed); is {
		require.NoError(t, failed.Err)
	}
	require.IsType(t, &Started{}, first)
	w.Process = first.Process()
	t.Cleanup(func() {
		if !w.isReaped() { // the test has failed
			w.Abandon()
		}
	})
	w.Attach()
	return w
}

func sh(line string) Command { return Command{Path: "/bin/sh", Args: []string{"-c", line}} }

func (w *watched) next() Event {
	w.t.Helper()
	select {
	case e := <-w.events:
		return e
	case <-time.After(testkit.Patience):
		require.Fail(w.t, "no event")
		return nil
	}
}

// until takes events, and the output, until one of that kind has come.
func until[T Event](w *watched) T {
	w.t.Helper()
	for {
		e := w.next()
		switch e.(type) {
		case *OutputEnded:
			w.ended = true
		case *OutputSilent:
			w.Discard()
		}
		if wanted, ok := e.(T); ok {
			return wanted
		}
	}
}

func (w *watched) text() string {
	var b strings.Builder
	for s := range w.log.Segments(0, 0) {
		b.Write(s.Data)
	}
	return b.String()
}

// gently is a stop with more grace than is needed.
func gently() ending.Stop {
	return ending.Stop{Signal: syscall.SIGTERM, Deadline: time.Now().Add(time.Hour)}
}

// endTree ends what the leader left behind.
func (w *watched) endTree() {
	w.t.Helper()
	if !w.EndTree(ending.Now) {
		until[*TreeGone](w)
	}
}

// finish is the usual end of a process.
func (w *watched) finish() (Status, string) {
	w.t.Helper()
	status := until[*LeaderExited](w).Status
	w.Drain(50*time.Millisecond, testkit.Patience)
	if !w.ended {
		until[*OutputEnded](w)
	}
	w.endTree()
	w.Reap()
	return status, w.text()
}

func TestStatus(t *testing.T) {
	t.Parallel()
	h := basicHost(t)
	for line, want := range map[string]Status{
		"exit 0": {}, "exit 200": {Code: 200},
		"kill -KILL $$": {Code: -1, Signal: "SIGKILL"}, "kill -USR2 $$": {Code: -1, Signal: "SIGUSR2"},
		"ulimit -c 0; kill -SEGV $$": {Code: -1, Signal: "SIGSEGV"},
	} {
		got, _ := startWatched(t, h, sh(line)).finish()
		assert.Equal(t, want.Code, got.Code, line)
		assert.Equal(t, want.Signal, got.Signal, line)
		assert.WithinDuration(t, time.Now(), got.Time, testkit.Patience, line)
	}
}

func TestTheLeaderStaysAZombieUntilItIsReaped(t *testing.T) {
	t.Parallel()
	w := startWatched(t, basicHost(t), sh("exit 3"))
	until[*LeaderExited](w)
	assert.NoError(t, syscall.Kill(w.PID, 0), "after its exit its number is free")
	assert.NoError(t, w.Signal(syscall.SIGTERM), "a signal to the zombie's group")
	w.Drain(time.Millisecond, time.Millisecond)
	if !w.ended {
		until[*OutputEnded](w)
	}
	w.Reap()
	w.Reap()
	assert.Equal(t, syscall.ESRCH, syscall.Kill(w.PID, 0), "after Reap")
	assert.ErrorIs(t, w.Signal(syscall.SIGTERM), os.ErrProcessDone, "Signal after Reap")
	assert.ErrorIs(t, w.SignalLeader(syscall.SIGTERM), os.ErrProcessDone, "SignalLeader after Reap")
	w.Stop(ending.Now) // must not reach a stranger, nor fail
}

// counting prints the numbers up to 30000, and counted bytes.
const (
	counting = `awk 'BEGIN { for (i = 1; i <= 30000; i++) print i }'; printf 'no newline'`
	counted  = 168894 + len("no newline")
)

func TestStreamsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	h := basicHost(t)
	_, text := startWatched(t, h, sh(counting)).finish()
	assert.Equal(t, counted, len(text))
	assert.True(t, strings.HasSuffix(text, "30000\nno newline"), "%.40q", text)
	w := startWatched(t, h, sh("echo out; echo err >&2"))
	w.finish()
	streams := map[output.Stream]string{}
	for s := range w.log.Segments(0, 0) {
		streams[s.Stream] += string(s.Data)
	}
	assert.Equal(t, map[output.Stream]string{output.Stdout: "out\n", output.Stderr: "err\n"}, streams)
}

// The end of the reading is told to a pump that may know of it already: that must not
// end it.
func TestTheEndOfTheOutputIsNotLostToTheTellingOfIt(t *testing.T) {
	h := basicHost(t)
	for range 200 {
		status, text := startWatched(t, h, sh(counting)).finish()
		require.Equal(t, counted, len(text), "%+v", status)
	}
}

// Output is complete although nobody takes it before the leader has exited, and
// what it has written is more than a pipe holds.
func TestAFloodWaitsInThePipe(t *testing.T) {
	t.Parallel()
	w := startWatched(t, basicHost(t), sh("yes 0123456789abcde | head -c 8388608"))
	time.AfterFunc(50*time.Millisecond, func() { w.events <- &OutputReady{event{w.Process}} })
	_, text := w.finish()
	assert.Equal(t, 8<<20, len(text))
}

func TestDrain(t *testing.T) {
	t.Parallel()
	h := basicHost(t)
	t.Run("a silent holder of the pipe is not waited for", func(t *testing.T) {
		w := startWatched(t, h, sh("echo hello; sleep 1000 &"))
		_, text := w.finish()
		assert.Equal(t, "hello\n", text)
	})
	t.Run("a descendant that writes is heard out", func(t *testing.T) {
		w := startWatched(t, h, sh("(for i in 1 2 3 4 5 6; do sleep 0.1; echo $i; done) &"))
		until[*LeaderExited](w)
		w.Drain(2*time.Second, testkit.Patience)
		until[*OutputEnded](w)
		assert.Equal(t, "1\n2\n3\n4\n5\n6\n", w.text())
		w.endTree()
		w.Reap()
	})
	t.Run("but not for ever", func(t *testing.T) {
		w := startWatched(t, h, sh("(while :; do echo more; sleep 0.01; done) &"))
		until[*LeaderExited](w)
		begin := time.Now()
		w.Drain(time.Second, 1100*time.Millisecond)
		until[*OutputEnded](w)
		assert.GreaterOrEqual(t, time.Since(begin), time.Second)
		w.endTree()
		w.Reap()
	})
}

func TestEndTreeFindsWhatLeftTheGroup(t *testing.T) {
	t.Parallel()
	w := startWatched(t, basicHost(t), sh(`
		trap '' TERM
		setsid sh -c 'echo $$; sleep 1000' >&2 &
		(setsid sh -c '(sleep 1000 & echo $!) & exit' >&2 &)
		sleep 1000 & echo $! >&2
		sleep 0.3`))
	until[*LeaderExited](w)
	w.Drain(300*time.Millisecond, testkit.Patience)
	if !w.ended {
		until[*OutputEnded](w)
	}
	var left []int
	for _, line := range strings.Fields(w.text()) {
		var pid int
		fmt.Sscan(line, &pid)
		left = append(left, pid)
	}
	assert.Len(t, left, 3)
	for _, pid := range left {
		assert.True(t, testkit.Alive(pid), "%d of %v has ended before", pid, left)
	}
	w.EndTree(gently()) // they ignore it
	w.Stop(ending.Now)
	until[*TreeGone](w)
	for _, pid := range left {
		assert.False(t, testkit.Alive(pid), "%d of %v lives", pid, left)
	}
	w.Reap()
}

func TestASweepTouchesNoStranger(t *testing.T) {
	t.Parallel()
	h, other := basicHost(t), basicHost(t)
	a := startWatched(t, h, Command{ID: "a", Path: "sleep", Args: []string{"1000"}})
	b := startWatched(t, h, Command{ID: "b", Path: "sleep", Args: []string{"1000"}})
	c := startWatched(t, other, Command{ID: "a", Path: "sleep", Args: []string{"1000"}})
	a.Stop(gently())
	status, _ := a.finish()
	assert.Equal(t, "SIGTERM", status.Signal)
	for name, w := range map[string]*watched{"another process": b, "another engine's": c} {
		assert.True(t, testkit.Alive(w.PID), "%s was ended", name)
		w.Stop(ending.Now)
		w.finish()
	}
}

func TestAbandonLeavesNothing(t *testing.T) {
	t.Parallel()
	testkit.Needs(t, "setsid", "yes")
	h, err := NewHost("osproc-abandon-" + fmt.Sprint(os.Getpid()))
	require.NoError(t, err)
	w := startWatched(t, h, sh("trap '' TERM; setsid sleep 1000 & yes"))
	w.awaitOutput()
	w.Abandon()
	assert.NoError(t, h.Close(time.Now()))
	assert.Equal(t, syscall.ESRCH, syscall.Kill(w.PID, 0), "the leader has not been reaped")
}

func TestStartFailures(t *testing.T) {
	t.Parallel()
	h := basicHost(t)
	for name, test := range map[string]struct {
		c  Command
		is error
	}{
		"not on PATH":       {Command{Path: "no-such-program-at-all"}, exec.ErrNotFound},
		"missing":           {Command{Path: "/does/not/exist"}, fs.ErrNotExist},
		"missing directory": {Command{Path: "true", Dir: "/does/not/exist"}, fs.ErrNotExist},
		"no directory":      {Command{Path: "true", Dir: "/dev/null"}, unix.ENOTDIR},
		"no program":        {Command{Path: "/tmp"}, fs.ErrPermission},
		"on a terminal":     {Command{Path: "/does/not/exist", Terminal: &Size{}}, fs.ErrNotExist},
	} {
		events := make(chan Event, 10)
		h.Start(test.c, func(e Event) { events <- e })
		first := <-events
		if assert.IsType(t, &StartFailed{}, first, name) {
			assert.ErrorIs(t, first.(*StartFailed).Err, test.is, name)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("OSPROC_TEST", "inherited")
	t.Setenv(VariableEngine, "an engine above")
	c := Command{ID: "proc_1", Env: map[string]string{"B": "2", "A": "1", VariableID: "forged"}}
	env := c.environment("engine")
	for _, want := range []string{"OSPROC_TEST=inherited", "A=1", "B=2", VariableEngine + "=engine", VariableID + "=proc_1"} {
		assert.Len(t, slices.DeleteFunc(slices.Clone(env), func(e string) bool { return e != want }), 1, want)
	}
	assert.NotContains(t, env, VariableEngine+"=an engine above")
	assert.NotContains(t, env, VariableID+"=forged")
	c.ClearEnv = true
	assert.Equal(t, []string{"A=1", "B=2", VariableEngine + "=engine", VariableID + "=proc_1"}, c.environment("engine"))
	c.Env["OSPROC_TEST"], c.ClearEnv = "overridden", false
	env = c.environment("engine")
	assert.NotContains(t, env, "OSPROC_TEST=inherited")
	assert.Contains(t, env, "OSPROC_TEST=overridden")
}

func TestSignalsAreNeverForEverybody(t *testing.T) {
	t.Parallel()
	for _, pid := range []int{-1, 0, 1} { // to kill(2): all processes, the own group, init
		assert.Equal(t, syscall.ESRCH, signalGroup(pid, 0), "%d is taken for a group", pid)
		assert.Equal(t, syscall.ESRCH, signalProcess(pid, 0), "%d is taken for a process", pid)
	}
}

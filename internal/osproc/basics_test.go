//go:build linux

package osproc

import (
	"errors"
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

	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/output"
)

const basicPatience = 30 * time.Second

var basicHosts atomic.Int64

func basicHost(t *testing.T) *Host {
	t.Helper()
	h, err := NewHost(fmt.Sprintf("osproc-basics-%d-%d", os.Getpid(), basicHosts.Add(1)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(time.Now()); err != nil {
			t.Error(err)
		}
	})
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
	w := &watched{t: t, events: make(chan Event, 1000), log: output.NewLog(-1)}
	if c.ID == "" {
		c.ID = t.Name()
	}
	c.Log = w.log
	h.Start(c, func(e Event) { w.events <- e })
	switch e := w.next().(type) {
	case *Started:
		w.Process = e.Process()
		t.Cleanup(func() {
			if !w.isReaped() { // the test has failed
				w.Abandon()
			}
		})
		w.Attach()
	case *StartFailed:
		t.Fatal(e.Err)
	default:
		t.Fatalf("the first event is %T", e)
	}
	return w
}

func sh(line string) Command { return Command{Path: "/bin/sh", Args: []string{"-c", line}} }

func (w *watched) next() Event {
	w.t.Helper()
	select {
	case e := <-w.events:
		return e
	case <-time.After(basicPatience):
		w.t.Fatal("no event")
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
	w.Drain(50*time.Millisecond, basicPatience)
	if !w.ended {
		until[*OutputEnded](w)
	}
	w.endTree()
	w.Reap()
	return status, w.text()
}

func basicAlive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(stat), ") ")
	return err == nil && rest != "" && rest[0] != 'Z' && rest[0] != 'X'
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
		if got.Code != want.Code || got.Signal != want.Signal || time.Since(got.Time) > basicPatience {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

func TestTheLeaderStaysAZombieUntilItIsReaped(t *testing.T) {
	t.Parallel()
	w := startWatched(t, basicHost(t), sh("exit 3"))
	until[*LeaderExited](w)
	if err := syscall.Kill(w.PID, 0); err != nil {
		t.Errorf("after its exit its number is free: %v", err)
	}
	if err := w.Signal(syscall.SIGTERM); err != nil {
		t.Errorf("a signal to the zombie's group: %v", err)
	}
	w.Drain(time.Millisecond, time.Millisecond)
	if !w.ended {
		until[*OutputEnded](w)
	}
	w.Reap()
	w.Reap()
	if err := syscall.Kill(w.PID, 0); err != syscall.ESRCH {
		t.Errorf("after Reap: %v", err)
	}
	for name, err := range map[string]error{"Signal": w.Signal(syscall.SIGTERM), "SignalLeader": w.SignalLeader(syscall.SIGTERM)} {
		if !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("%s after Reap: %v", name, err)
		}
	}
	w.Stop(ending.Now) // must not reach a stranger, nor fail
}

func TestStreamsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	h := basicHost(t)
	if _, text := startWatched(t, h, sh("seq 1 30000; printf 'no newline'")).finish(); len(text) != 168894+len("no newline") || !strings.HasSuffix(text, "30000\nno newline") {
		t.Errorf("%d bytes", len(text))
	}
	w := startWatched(t, h, sh("echo out; echo err >&2"))
	w.finish()
	streams := map[output.Stream]string{}
	for s := range w.log.Segments(0, 0) {
		streams[s.Stream] += string(s.Data)
	}
	if streams[output.Stdout] != "out\n" || streams[output.Stderr] != "err\n" {
		t.Errorf("%q", streams)
	}
}

// The end of the reading is told to a pump that may know of it already: that must not
// end it.
func TestTheEndOfTheOutputIsNotLostToTheTellingOfIt(t *testing.T) {
	h := basicHost(t)
	for range 200 {
		if status, text := startWatched(t, h, sh("seq 1 30000; printf 'no newline'")).finish(); len(text) != 168894+len("no newline") {
			t.Fatalf("%d bytes, %+v", len(text), status)
		}
	}
}

// Output is complete although nobody takes it before the leader has exited, and
// what it has written is more than a pipe holds.
func TestAFloodWaitsInThePipe(t *testing.T) {
	t.Parallel()
	w := startWatched(t, basicHost(t), sh("yes 0123456789abcde | head -c 8388608"))
	time.AfterFunc(50*time.Millisecond, func() { w.events <- &OutputReady{event{w.Process}} })
	if _, text := w.finish(); len(text) != 8<<20 {
		t.Errorf("%d bytes", len(text))
	}
}

func TestDrain(t *testing.T) {
	t.Parallel()
	h := basicHost(t)
	t.Run("a silent holder of the pipe is not waited for", func(t *testing.T) {
		w := startWatched(t, h, sh("echo hello; sleep 1000 &"))
		if _, text := w.finish(); text != "hello\n" {
			t.Errorf("%q", text)
		}
	})
	t.Run("a descendant that writes is heard out", func(t *testing.T) {
		w := startWatched(t, h, sh("(for i in 1 2 3 4 5 6; do sleep 0.1; echo $i; done) &"))
		until[*LeaderExited](w)
		w.Drain(2*time.Second, basicPatience)
		until[*OutputEnded](w)
		if text := w.text(); text != "1\n2\n3\n4\n5\n6\n" {
			t.Errorf("%q", text)
		}
		w.endTree()
		w.Reap()
	})
	t.Run("but not for ever", func(t *testing.T) {
		w := startWatched(t, h, sh("(while :; do echo more; sleep 0.01; done) &"))
		until[*LeaderExited](w)
		begin := time.Now()
		w.Drain(time.Second, 1100*time.Millisecond)
		until[*OutputEnded](w)
		if took := time.Since(begin); took < time.Second {
			t.Errorf("it took %v only", took)
		}
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
		while [ $(ps -o pid= -e | wc -l) -lt 1 ]; do :; done; sleep 0.3`))
	until[*LeaderExited](w)
	w.Drain(300*time.Millisecond, basicPatience)
	if !w.ended {
		until[*OutputEnded](w)
	}
	var left []int
	for _, line := range strings.Fields(w.text()) {
		var pid int
		fmt.Sscan(line, &pid)
		left = append(left, pid)
	}
	if len(left) != 3 || slices.ContainsFunc(left, func(pid int) bool { return !basicAlive(pid) }) {
		t.Errorf("before: %v", left)
	}
	w.EndTree(gently()) // they ignore it
	w.Stop(ending.Now)
	until[*TreeGone](w)
	for _, pid := range left {
		if basicAlive(pid) {
			t.Errorf("%d of %v lives", pid, left)
		}
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
	if status, _ := a.finish(); status.Signal != "SIGTERM" {
		t.Errorf("%+v", status)
	}
	for name, w := range map[string]*watched{"another process": b, "another engine's": c} {
		if !basicAlive(w.PID) {
			t.Errorf("%s was ended", name)
		}
		w.Stop(ending.Now)
		w.finish()
	}
}

func TestAbandonLeavesNothing(t *testing.T) {
	t.Parallel()
	h, err := NewHost("osproc-abandon-" + fmt.Sprint(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	w := startWatched(t, h, sh("trap '' TERM; setsid sleep 1000 & yes"))
	w.awaitOutput()
	w.Abandon()
	if err := h.Close(time.Now()); err != nil {
		t.Error(err)
	}
	if syscall.Kill(w.PID, 0) != syscall.ESRCH {
		t.Error("the leader has not been reaped")
	}
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
		if failed, ok := (<-events).(*StartFailed); !ok || !errors.Is(failed.Err, test.is) {
			t.Errorf("%s: %+v", name, failed)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("OSPROC_TEST", "inherited")
	t.Setenv(VariableEngine, "an engine above")
	c := Command{ID: "proc_1", Env: map[string]string{"B": "2", "A": "1", VariableID: "forged"}}
	env := c.environment("engine")
	for _, want := range []string{"OSPROC_TEST=inherited", "A=1", "B=2", VariableEngine + "=engine", VariableID + "=proc_1"} {
		if n := len(slices.DeleteFunc(slices.Clone(env), func(e string) bool { return e != want })); n != 1 {
			t.Errorf("%s is there %d times", want, n)
		}
	}
	if slices.Contains(env, VariableEngine+"=an engine above") || slices.Contains(env, VariableID+"=forged") {
		t.Errorf("a mark is not the engine's: %v", env)
	}
	c.ClearEnv = true
	if got := strings.Join(c.environment("engine"), " "); got != "A=1 B=2 "+VariableEngine+"=engine "+VariableID+"=proc_1" {
		t.Errorf("%s", got)
	}
	c.Env["OSPROC_TEST"], c.ClearEnv = "overridden", false
	if env := c.environment("engine"); slices.Contains(env, "OSPROC_TEST=inherited") || !slices.Contains(env, "OSPROC_TEST=overridden") {
		t.Errorf("%v", env)
	}
}

func TestSignalsAreNeverForEverybody(t *testing.T) {
	t.Parallel()
	for _, pid := range []int{-1, 0, 1} { // to kill(2): all processes, the own group, init
		if signalGroup(pid, 0) != syscall.ESRCH || signalProcess(pid, 0) != syscall.ESRCH {
			t.Errorf("%d is taken for a process", pid)
		}
	}
}

//go:build linux

package procession_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession"
)

func isClosed(err error) bool { return errors.Is(err, procession.ErrClosed) }

func TestStartReturnsOnceTheProgramRuns(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	i := info(t, e, id)
	if i.State != procession.Running || i.PID <= 0 || !alive(i.PID) {
		t.Errorf("after Start it is %v with the process ID %d", i.State, i.PID)
	}
	if group, err := syscall.Getpgid(i.PID); err != nil || group != i.PID {
		t.Errorf("its process group is %d (%v), not its own, %d", group, err, i.PID)
	}
}

func TestExitCodeIsReported(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, code := range []int{0, 1, 3, 127, 255} {
		begin := time.Now()
		exit, out := run(t, e, procession.Shell(fmt.Sprintf("exit %d", code)))
		if exit.Code != code || exit.Signal != "" || exit.Cause != procession.CauseExited || exit.Success() != (code == 0) {
			t.Errorf("exit %d: %+v", code, exit)
		}
		if exit.Time.Before(begin) || exit.Time.After(time.Now()) {
			t.Errorf("exit %d: at %v, not between %v and now", code, exit.Time, begin)
		}
		if out.Exit == nil || *out.Exit != exit {
			t.Errorf("Wait says %+v and Output %+v", exit, out.Exit)
		}
	}
}

func TestUsageIsReported(t *testing.T) {
	t.Parallel()
	exit, _ := run(t, newEngine(t), procession.Shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done"))
	if exit.UserTime <= 0 || exit.UserTime > time.Minute || exit.SystemTime < 0 {
		t.Errorf("user time %v, system time %v", exit.UserTime, exit.SystemTime)
	}
	if exit.MaxRSS < 100<<10 || exit.MaxRSS%1024 != 0 {
		t.Errorf("the largest resident set of a shell is said to be %d bytes", exit.MaxRSS)
	}
}

func environment(out procession.Output) map[string]string {
	env := map[string]string{}
	for line := range strings.Lines(out.Stdout()) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		env[name] = value
	}
	return env
}

func TestEnvIsAddedAndOverrides(t *testing.T) {
	t.Setenv("PROCESSION_TEST_A", "inherited")
	t.Setenv("PROCESSION_TEST_B", "inherited")
	e := newEngine(t, procession.WithID("env-"+t.Name()))
	spec := helper("environ")
	spec.Env["PROCESSION_TEST_B"] = "given=this"
	spec.Env["PROCESSION_TEST_C"] = ""
	spec.Env["PROCESSION_ID"] = "forged"
	spec.Env["PROCESSION_ENGINE"] = "forged"
	id := start(t, e, spec)
	must(e.Wait(within(t), id))(t)
	env := environment(must(e.Output(within(t), id))(t))
	for name, want := range map[string]string{
		"PROCESSION_TEST_A": "inherited", "PROCESSION_TEST_B": "given=this", "PROCESSION_TEST_C": "",
		"PROCESSION_ENGINE": "env-" + t.Name(), "PROCESSION_ID": id,
	} {
		if got, ok := env[name]; !ok || got != want {
			t.Errorf("%s=%q, %v; want %q", name, got, ok, want)
		}
	}
}

func TestClearEnvLeavesTheSpecsEnvAndTheMarks(t *testing.T) {
	t.Parallel()
	spec := helper("environ")
	spec.ClearEnv = true
	_, out := run(t, newEngine(t), spec)
	env := environment(out)
	delete(env, "GOCOVERDIR") // the test binary's own, if it measures coverage
	for _, name := range []string{helperVariable, "PROCESSION_ENGINE", "PROCESSION_ID"} {
		if _, ok := env[name]; !ok {
			t.Errorf("%s is missing", name)
		}
		delete(env, name)
	}
	if len(env) > 0 {
		t.Errorf("besides its own it has %v", env)
	}
}

func TestTheSpecIsTheEnginesOwn(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := procession.Spec{
		Command: "sleep", Args: []string{"1000"}, Labels: map[string]string{"agent": "a1"}, Env: map[string]string{"A": "1"},
	}
	id := start(t, e, spec)
	spec.Args[0], spec.Labels["agent"] = "changed", "changed"
	first := info(t, e, id)
	if first.Args[0] != "1000" || first.Labels["agent"] != "a1" {
		t.Errorf("what the caller does to its Spec changes the process: %+v", first)
	}
	first.Args[0], first.Labels["agent"] = "changed", "changed"
	if second := info(t, e, id); second.Args[0] != "1000" || second.Labels["agent"] != "a1" {
		t.Errorf("what one caller does to its Info changes that of others: %+v", second)
	}
}

func TestDir(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "here"), []byte("#!/bin/sh\npwd -P; echo $PWD\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	exit, out := run(t, e, procession.Spec{Command: "./here", Dir: dir})
	if want := dir + "\n" + dir + "\n"; !exit.Success() || out.Stdout() != want {
		t.Errorf("%v, %q; want %q", exit, out.Combined(), want)
	}
	here, _ := os.Getwd()
	if _, out := run(t, e, procession.Shell("pwd -P")); strings.TrimSpace(out.Stdout()) != here {
		t.Errorf("without Dir it runs in %q, not in %q", out.Stdout(), here)
	}
}

func TestTimeoutEndsIt(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := procession.Shell("sleep 1000")
	spec.Timeout = 50 * time.Millisecond
	exit, _ := run(t, e, spec)
	if exit.Cause != procession.CauseTimeout || exit.Signal != "SIGTERM" || exit.Code != -1 {
		t.Errorf("%+v", exit)
	}

	stubborn := helper("stubborn")
	stubborn.Timeout, stubborn.Grace = 500*time.Millisecond, 50*time.Millisecond
	exit, _ = run(t, e, stubborn)
	if exit.Cause != procession.CauseTimeout || (exit.Signal != "SIGKILL" && exit.Signal != "SIGTERM") {
		t.Errorf("%+v", exit)
	}

	inTime := procession.Shell("exit 3")
	inTime.Timeout = patience
	if exit, _ = run(t, e, inTime); exit.Cause != procession.CauseExited || exit.Code != 3 {
		t.Errorf("in time: %+v", exit)
	}
}

func TestStopSignal(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := helper("signals", "SIGINT")
	spec.StopSignal = syscall.SIGINT
	spec.Grace = patience
	id := start(t, e, spec)
	awaitText(t, e, id, "ready")
	exit := must(e.Kill(within(t), id))(t)
	if exit.Code != 4 || exit.Cause != procession.CauseKilled || exit.Signal != "" {
		t.Errorf("%+v", exit)
	}
	if out := must(e.Output(within(t), id))(t); out.Stdout() != "ready\ngot SIGINT\n" {
		t.Errorf("%q", out.Combined())
	}
}

func TestGraceIsGivenInFull(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(time.Millisecond))
	spec := procession.Shell(`trap 'sleep 0.3; echo tidied up; exit 5' TERM; echo ready; while :; do sleep 0.05; done`)
	spec.Grace = patience
	id := start(t, e, spec)
	awaitText(t, e, id, "ready")
	exit := must(e.Kill(within(t), id))(t)
	if exit.Code != 5 || exit.Cause != procession.CauseKilled {
		t.Errorf("%+v", exit)
	}
	if out := must(e.Output(within(t), id))(t); !strings.Contains(out.Stdout(), "tidied up") {
		t.Errorf("%q", out.Combined())
	}
}

func TestAfterTheGraceItIsKilled(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(100*time.Millisecond))
	id := start(t, e, helper("stubborn"))
	awaitText(t, e, id, "ready")
	begin := time.Now()
	exit := must(e.Kill(within(t), id))(t)
	if exit.Signal != "SIGKILL" || exit.Code != -1 || exit.Cause != procession.CauseKilled {
		t.Errorf("%+v", exit)
	}
	if took := time.Since(begin); took < 100*time.Millisecond {
		t.Errorf("it was killed after %v, before its grace was over", took)
	}
}

func TestKillOfAStoppedProcess(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(patience))
	id := start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	pid := info(t, e, id).PID
	if err := e.Signal(within(t), id, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is stopped", func() bool { return processState(pid) == 'T' })
	if exit := must(e.Kill(within(t), id))(t); exit.Signal != "SIGTERM" {
		t.Errorf("%+v", exit)
	}
}

func TestKillsSendOneStopSignal(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(patience))
	id := start(t, e, helper("signals"))
	awaitText(t, e, id, "ready")
	var kills sync.WaitGroup
	exits := make([]procession.Exit, 20)
	for i := range exits {
		kills.Go(func() { exits[i] = must(e.Kill(within(t), id))(t) })
	}
	awaitText(t, e, id, "got SIGTERM\n")
	if got := info(t, e, id).State; got != procession.Stopping {
		t.Errorf("while it is being killed it is %v", got)
	}
	// All kills have been asked for when one more question has been answered
	// after them; the process then ends by a signal that none of them sends.
	eventually(t, "it takes a signal", func() bool { return e.Signal(within(t), id, syscall.SIGUSR2) == nil })
	kills.Wait()
	for _, exit := range exits {
		if exit != exits[0] || exit.Code != 0 || exit.Cause != procession.CauseKilled {
			t.Errorf("one Kill says %+v, another %+v", exits[0], exit)
		}
	}
	if out := must(e.Output(within(t), id))(t); strings.Count(out.Stdout(), "SIGTERM") != 1 {
		t.Errorf("%q", out.Stdout())
	}
}

func TestKillOfAnEndedProcessIsNoError(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("exit 3"))
	exit := must(e.Wait(within(t), id))(t)
	for range 2 {
		if again := must(e.Kill(within(t), id))(t); again != exit || again.Cause != procession.CauseExited {
			t.Errorf("Kill says %+v, Wait said %+v", again, exit)
		}
	}
}

func TestReleaseEndsAndForgets(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	running := start(t, e, procession.Shell("sleep 1000 & wait"))
	pid := info(t, e, running).PID
	ended := start(t, e, procession.Shell("true"))
	must(e.Wait(within(t), ended))(t)
	waiting := make(chan procession.Exit)
	go func() {
		exit, err := e.Wait(within(t), running)
		if err != nil && !errors.Is(err, procession.ErrNotFound) { // it may come too late
			t.Error(err)
		}
		waiting <- exit
	}()
	for _, id := range []string{running, ended} {
		if err := e.Release(within(t), id); err != nil {
			t.Errorf("Release: %v", err)
		}
		if _, err := e.Info(within(t), id); !errors.Is(err, procession.ErrNotFound) {
			t.Errorf("Info after Release: %v", err)
		}
		if err := e.Release(within(t), id); !errors.Is(err, procession.ErrNotFound) {
			t.Errorf("Release again: %v", err)
		}
	}
	if processState(pid) != 0 {
		t.Error("after Release the process is there, if only as a zombie")
	}
	select {
	case exit := <-waiting:
		if exit.Cause != procession.CauseKilled && exit != (procession.Exit{}) {
			t.Errorf("a Wait that was pending says %+v", exit)
		}
	case <-within(t).Done():
		t.Error("a Wait that was pending has not been answered")
	}
	if list := must(e.List(within(t)))(t); len(list) != 0 {
		t.Errorf("after Release, List has %+v", list)
	}
}

func TestReleasesAtOnceAreAllAnswered(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("sleep 1000"))
	var done sync.WaitGroup
	for range 10 {
		done.Go(func() {
			if err := e.Release(within(t), id); err != nil && !errors.Is(err, procession.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

func TestSignal(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, helper("signals"))
	awaitText(t, e, id, "ready")
	for _, sig := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP, syscall.SIGTERM} {
		if err := e.Signal(within(t), id, sig); err != nil {
			t.Fatal(err)
		}
		awaitText(t, e, id, "got SIG"+map[syscall.Signal]string{syscall.SIGUSR1: "USR1", syscall.SIGHUP: "HUP", syscall.SIGTERM: "TERM"}[sig])
	}
	if got := info(t, e, id).State; got != procession.Running {
		t.Errorf("after signals that it has survived it is %v", got)
	}
	if err := e.Signal(within(t), id, syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	if exit := must(e.Wait(within(t), id))(t); exit.Cause != procession.CauseExited || !exit.Success() {
		t.Errorf("%+v", exit)
	}
	err := e.Signal(within(t), id, syscall.SIGUSR1)
	if !errors.Is(err, procession.ErrExited) || !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("a signal to one that has ended: %v", err)
	}
}

func TestSignalReachesTheGroup(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell(`trap '' USR1; (trap 'echo child heard it; exit' USR1; echo ready; while :; do sleep 0.02; done) & wait`))
	awaitText(t, e, id, "ready")
	if err := e.Signal(within(t), id, syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	awaitText(t, e, id, "child heard it")
}

func TestSignalReachesTheLeaderAlone(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell(`(trap 'echo child heard it' USR1; echo ready; while :; do sleep 0.02; done) &
trap 'echo leader heard it' USR1; while :; do wait; done`))
	awaitText(t, e, id, "ready")
	for range 2 {
		if err := e.Signal(within(t), id, syscall.SIGUSR1, procession.ScopeLeader); err != nil {
			t.Fatal(err)
		}
	}
	awaitText(t, e, id, "leader heard it")
	if err := e.Signal(within(t), id, syscall.SIGUSR1, procession.ScopeLeader+1); !errors.Is(err, procession.ErrInvalidRequest) {
		t.Errorf("a scope that is none: %v", err)
	}
	must(e.Kill(within(t), id))(t)
	if out := must(e.Output(within(t), id))(t).Combined(); strings.Contains(out, "child heard it") {
		t.Errorf("%q", out)
	}
}

func TestASignalThatEndsItIsNoKill(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	if err := e.Signal(within(t), id, syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if exit := must(e.Wait(within(t), id))(t); exit.Signal != "SIGINT" || exit.Cause != procession.CauseExited {
		t.Errorf("%+v", exit)
	}
}

func TestInfo(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithOutputLimit(5000))
	dir := t.TempDir()
	begin := time.Now()
	spec := procession.Spec{
		Name: "server", Command: "/bin/sh", Args: []string{"-c", "echo hello; read line; exit 3"}, Dir: dir,
		Labels: map[string]string{"agent": "a1", "task": "t1"}, Stdin: true,
	}
	id := start(t, e, spec)
	awaitText(t, e, id, "hello\n")
	i := info(t, e, id)
	if i.ID != id || i.Name != spec.Name || i.Command != spec.Command || !slices.Equal(i.Args, spec.Args) || i.Dir != dir ||
		len(i.Labels) != 2 || i.Labels["agent"] != "a1" || i.Labels["task"] != "t1" {
		t.Errorf("what it was given: %+v", i)
	}
	if i.State != procession.Running || i.Exit != nil || i.Restarts != 0 || !i.Ready || len(i.Incarnations) != 0 {
		t.Errorf("what it does: %+v", i)
	}
	if i.CreatedAt.Before(begin) || i.StartedAt.Before(i.CreatedAt) || i.StartedAt.After(time.Now()) {
		t.Errorf("created %v, started %v, not before %v", i.CreatedAt, i.StartedAt, begin)
	}
	if i.OutputLimit != 5000 || i.OutputBytes != 6 || i.Retained != 6 || i.Dropped != 0 {
		t.Errorf("its output: %+v", i)
	}
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	exit := must(e.Wait(within(t), id))(t)
	after := info(t, e, id)
	if after.State != procession.Exited || after.Exit == nil || *after.Exit != exit || after.PID != i.PID || after.Ready {
		t.Errorf("after its end: %+v", after)
	}
}

func TestInfoTellsWhatTheLimitHasDropped(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := helper("flood", "1000")
	spec.OutputLimit = 4000
	id := start(t, e, spec)
	must(e.Wait(within(t), id))(t)
	if i := info(t, e, id); i.OutputLimit != 4000 || i.OutputBytes != 16000 || i.Retained != 4000 || i.Dropped != 12000 {
		t.Errorf("%+v", i)
	}
}

func TestListIsInOrderOfCreation(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	if list := must(e.List(within(t)))(t); len(list) != 0 {
		t.Errorf("a new engine has %+v", list)
	}
	var ids []string
	for i := range 20 {
		ids = append(ids, start(t, e, procession.Shell(fmt.Sprintf("exit %d", i))))
	}
	for _, id := range ids {
		must(e.Wait(within(t), id))(t)
	}
	ids = append(ids, start(t, e, procession.Shell("sleep 1000")))
	list := must(e.List(within(t)))(t)
	var listed []string
	for _, i := range list {
		listed = append(listed, i.ID)
	}
	if !slices.Equal(listed, ids) {
		t.Errorf("started %v\nlisted  %v", ids, listed)
	}
	if list[0].State != procession.Exited || list[20].State != procession.Running || list[7].Exit.Code != 7 {
		t.Errorf("%+v", list)
	}
}

func TestListSelects(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for i, labels := range []map[string]string{{"agent": "a1"}, {"agent": "a1", "kind": "build"}, {"agent": "a2", "kind": "build"}, nil} {
		line := "sleep 1000"
		if i == 1 {
			line = "true"
		}
		spec := procession.Shell(line)
		spec.Name, spec.Labels = fmt.Sprint("p", i), labels
		id := start(t, e, spec)
		if i == 1 {
			must(e.Wait(within(t), id))(t)
		}
	}
	for _, test := range []struct {
		selectors []procession.Selector
		want      string
	}{
		{nil, "p0 p1 p2 p3"},
		{[]procession.Selector{{}}, "p0 p1 p2 p3"},
		{[]procession.Selector{{Labels: map[string]string{"agent": "a1"}}}, "p0 p1"},
		{[]procession.Selector{{Labels: map[string]string{"agent": "a1", "kind": "build"}}}, "p1"},
		{[]procession.Selector{{Labels: map[string]string{"agent": ""}}}, ""},
		{[]procession.Selector{{States: []procession.State{procession.Exited}}}, "p1"},
		{[]procession.Selector{{Names: []string{"p3", "p0"}}}, "p0 p3"},
		{[]procession.Selector{{Names: []string{"p0", "p1"}}, {States: []procession.State{procession.Running}}}, "p0"},
	} {
		var names []string
		for _, i := range must(e.List(within(t), test.selectors...))(t) {
			names = append(names, i.Name)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%+v selects %q, not %q", test.selectors, got, test.want)
		}
	}
}

func TestACancelledContextEndsTheWaitingOnly(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(patience))
	id := start(t, e, helper("signals", "SIGHUP"))
	awaitText(t, e, id, "ready")
	end := int64(len("ready\n"))
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	calls := map[string]func(context.Context) error{
		"Wait":    func(ctx context.Context) error { _, err := e.Wait(ctx, id); return err },
		"Kill":    func(ctx context.Context) error { _, err := e.Kill(ctx, id); return err },
		"Output":  func(ctx context.Context) error { _, err := e.Output(ctx, id); return err },
		"Info":    func(ctx context.Context) error { _, err := e.Info(ctx, id); return err },
		"List":    func(ctx context.Context) error { _, err := e.List(ctx); return err },
		"Start":   func(ctx context.Context) error { _, err := e.Start(ctx, procession.Shell("true")); return err },
		"Signal":  func(ctx context.Context) error { return e.Signal(ctx, id, syscall.SIGHUP) },
		"Release": func(ctx context.Context) error { return e.Release(ctx, id) },
		"Read": func(ctx context.Context) error {
			_, err := e.Read(ctx, id, procession.ReadOptions{Cursor: end, Wait: -1})
			return err
		},
		"Follow": func(ctx context.Context) (last error) {
			for _, err := range e.Follow(ctx, id, procession.ReadOptions{Cursor: end}) {
				last = err
			}
			return last
		},
		"Shutdown": func(ctx context.Context) error { _, err := e.Shutdown(ctx); return err },
	}
	for name, call := range calls {
		if err := call(cancelled); !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", name, err)
		}
	}
	for _, name := range []string{"Wait", "Read", "Follow", "Kill"} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		if err := calls[name](ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s while its context ends: %v", name, err)
		}
		cancel()
		if i := info(t, e, id); !alive(i.PID) || i.Exit != nil {
			t.Errorf("after %s whose context has ended, the process is %+v", name, i)
		}
	}
	if list := must(e.List(within(t)))(t); len(list) != 1 {
		t.Errorf("a Start with a cancelled context has started something: %+v", list)
	}
	if err := e.Signal(within(t), id, syscall.SIGHUP); err != nil {
		t.Error(err)
	}
	if exit := must(e.Wait(within(t), id))(t); exit.Code != 4 || exit.Cause != procession.CauseKilled {
		t.Errorf("a Kill that nobody waits for any more goes on, and the process ended by itself in its grace: %+v", exit)
	}
}

func TestAfterShutdownEveryCallIsErrClosed(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("true"))
	must(e.Shutdown(within(t)))(t)
	ctx := within(t)
	for name, err := range map[string]error{
		"Start":      second(e.Start(ctx, procession.Shell("true"))),
		"Output":     second(e.Output(ctx, id)),
		"Read":       second(e.Read(ctx, id, procession.ReadOptions{Wait: -1})),
		"Wait":       second(e.Wait(ctx, id)),
		"Kill":       second(e.Kill(ctx, id)),
		"Release":    e.Release(ctx, id),
		"Signal":     e.Signal(ctx, id, syscall.SIGTERM),
		"Info":       second(e.Info(ctx, id)),
		"List":       second(e.List(ctx)),
		"Shutdown":   second(e.Shutdown(ctx)),
		"Write":      second(e.Write(ctx, id, []byte("x"))),
		"CloseStdin": e.CloseStdin(ctx, id),
		"Resize":     e.Resize(ctx, id, procession.Size{Rows: 1, Cols: 1}),
		"WaitReady":  e.WaitReady(ctx, id),
		"KillAll":    second(e.KillAll(ctx, procession.Selector{})),
		"ReleaseAll": second(e.ReleaseAll(ctx, procession.Selector{})),
	} {
		if !isClosed(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	n := 0
	for _, err := range e.Follow(ctx, id, procession.ReadOptions{}) {
		if n++; !isClosed(err) {
			t.Errorf("Follow: %v", err)
		}
	}
	if n != 1 {
		t.Errorf("Follow yielded %d times", n)
	}
}

func second[T any](_ T, err error) error { return err }

func TestShutdownAnswersWhoWaits(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("echo hello; sleep 1000"))
	awaitText(t, e, id, "hello")
	var waiting, asked sync.WaitGroup
	asked.Add(2)
	waiting.Go(func() {
		asked.Done()
		exit, err := e.Wait(within(t), id)
		if err == nil && exit.Cause != procession.CauseShutdown || err != nil && !isClosed(err) {
			t.Errorf("Wait: %+v, %v", exit, err)
		}
	})
	waiting.Go(func() {
		var last procession.Chunk
		begun := false
		for chunk, err := range e.Follow(within(t), id, procession.ReadOptions{}) {
			if err != nil {
				t.Errorf("Follow: %v", err)
				return
			}
			if !begun {
				begun = true
				asked.Done()
			}
			last = chunk
		}
		if !last.EOF || last.Exit == nil || last.Exit.Cause != procession.CauseShutdown {
			t.Errorf("Follow ended with %+v", last)
		}
	})
	asked.Wait()
	if report := must(e.Shutdown(within(t)))(t); report != (procession.ShutdownReport{Terminated: 1}) {
		t.Errorf("%+v", report)
	}
	waiting.Wait()
}

func TestShutdownsAtOnceAreAllAnswered(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	start(t, e, procession.Shell("sleep 1000"))
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			report, err := e.Shutdown(within(t))
			if err == nil && report.Terminated != 1 || err != nil && !isClosed(err) {
				t.Errorf("%+v, %v", report, err)
			}
		})
	}
	all.Wait()
}

func TestShutdownGoesOnWithoutItsContext(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(300*time.Millisecond))
	id := start(t, e, helper("stubborn"))
	awaitText(t, e, id, "ready")
	pid := info(t, e, id).PID
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if _, err := e.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := e.Start(within(t), procession.Shell("true")); !isClosed(err) {
		t.Errorf("Start during a shutdown: %v", err)
	}
	eventually(t, "it is reaped", func() bool { return processState(pid) == 0 })
}

func TestShutdownHasItsOwnGrace(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithGrace(100*time.Millisecond))
	spec := helper("stubborn")
	spec.Grace = 10 * patience
	awaitText(t, e, start(t, e, spec), "ready")
	if report := must(e.Shutdown(within(t)))(t); report.Killed != 1 {
		t.Errorf("%+v", report)
	}
}

func TestShutdownDuringStartsLeavesNothing(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	var starts sync.WaitGroup
	begun := make(chan struct{}, 1000)
	for range 20 {
		starts.Go(func() {
			for {
				_, err := e.Start(within(t), procession.Shell("sleep 1000"))
				if err != nil {
					if !isClosed(err) {
						t.Error(err)
					}
					return
				}
				select {
				case begun <- struct{}{}:
				default:
					return
				}
			}
		})
	}
	for range 30 {
		<-begun
	}
	must(e.Shutdown(within(t)))(t) // newEngine looks for what is left
	starts.Wait()
}

func TestShutdownOfNothing(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	if report := must(e.Shutdown(within(t)))(t); report != (procession.ShutdownReport{}) {
		t.Errorf("%+v", report)
	}
}

func TestMaxProcesses(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithMaxProcesses(2))
	if _, err := e.Start(within(t), procession.Spec{Command: "/does/not/exist"}); !errors.Is(err, procession.ErrStart) {
		t.Errorf("%v", err)
	}
	first := start(t, e, procession.Shell("sleep 1000"))
	start(t, e, procession.Shell("sleep 1000"))
	if _, err := e.Start(within(t), procession.Shell("true")); !errors.Is(err, procession.ErrLimit) {
		t.Errorf("the third: %v", err)
	}
	must(e.Kill(within(t), first))(t)
	third := start(t, e, procession.Shell("true")) // what has ended does not count
	must(e.Wait(within(t), third))(t)
	start(t, e, procession.Shell("sleep 1000"))
	if _, err := e.Start(within(t), procession.Shell("true")); !errors.Is(err, procession.ErrLimit) {
		t.Errorf("after one has ended, the fifth: %v", err)
	}
	if list := must(e.List(within(t)))(t); len(list) != 4 {
		t.Errorf("what was refused is in List: %+v", list)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]procession.Option{
		"WithGrace":        procession.WithGrace(-1),
		"WithOutputLimit":  procession.WithOutputLimit(-2),
		"WithMaxProcesses": procession.WithMaxProcesses(-1),
		"WithRetention":    procession.WithRetention(1, -1),
		"WithID":           procession.WithID("a\x00b"),
	} {
		e, err := procession.New(opt)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if e != nil {
			e.Shutdown(within(t))
		}
		if _, err := procession.PoolProps(opt); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("PoolProps with %s: %v", name, err)
		}
	}
}

func TestOutputLimits(t *testing.T) {
	t.Parallel()
	e := newEngine(t, procession.WithOutputLimit(3000))
	for _, test := range []struct{ given, limit, retained int64 }{
		{0, 3000, 3000}, {100, 100, 100}, {1, 1, 1}, {procession.Unlimited, procession.Unlimited, 160000},
	} {
		spec := helper("flood", "10000")
		spec.OutputLimit = test.given
		id := start(t, e, spec)
		must(e.Wait(within(t), id))(t)
		out := must(e.Output(within(t), id))(t)
		if i := info(t, e, id); i.OutputLimit != test.limit || int64(len(out.Combined())) != test.retained || out.Dropped != 160000-test.retained {
			t.Errorf("limit %d: %d bytes retained, %d dropped; %+v", test.given, len(out.Combined()), out.Dropped, i)
		}
	}
}

func TestEnginesShareAnActorSystem(t *testing.T) {
	t.Parallel()
	system := actor.NewActorSystem()
	a, b := newEngine(t, procession.WithActorSystem(system)), newEngine(t, procession.WithActorSystem(system))
	if a.System() != system || a.Pool().Equal(b.Pool()) {
		t.Errorf("system %p, pools %v and %v", a.System(), a.Pool(), b.Pool())
	}
	ofA, ofB := start(t, a, procession.Shell("sleep 1000")), start(t, b, procession.Shell("sleep 1000"))
	if _, err := b.Info(within(t), ofA); !errors.Is(err, procession.ErrNotFound) {
		t.Errorf("one engine knows the other's process: %v", err)
	}
	if report := must(a.Shutdown(within(t)))(t); report.Terminated != 1 {
		t.Errorf("%+v", report)
	}
	if i := info(t, b, ofB); i.State != procession.Running || !alive(i.PID) {
		t.Errorf("the end of one engine has touched the other's process: %+v", i)
	}
	if system.IsStopped() {
		t.Error("the end of an engine has stopped the caller's actor system")
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	var mu sync.Mutex
	ids := map[string]bool{}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 15 {
				want := fmt.Sprintf("%d.%d", worker, i)
				id, err := e.Start(within(t), procession.Shell("echo "+want))
				if err != nil {
					t.Error(err)
					return
				}
				exit, err := e.Wait(within(t), id)
				out, outErr := e.Output(within(t), id)
				if err != nil || outErr != nil || !exit.Success() || out.Stdout() != want+"\n" {
					t.Errorf("%s: %v, %v, %q, %v", want, exit, err, out.Combined(), outErr)
				}
				mu.Lock()
				ids[id] = true
				mu.Unlock()
				if i%2 == 0 {
					if err := e.Release(within(t), id); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	all.Wait()
	if len(ids) != 120 {
		t.Errorf("%d IDs for 120 processes", len(ids))
	}
	if list := must(e.List(within(t)))(t); len(list) != 8*7 {
		t.Errorf("%d are in List", len(list))
	}
}

// A process that is backing off has ended before, and so has one whose leader
// exited: the report counts neither, though something of it may be killed.
func TestTheReportCountsNoneThatHadEnded(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := procession.Shell("sleep 1000")
	spec.Timeout = 20 * time.Millisecond
	spec.Restart = procession.Policy{When: procession.Always, MinBackoff: time.Hour, MaxBackoff: time.Hour}
	backing := start(t, e, spec)
	eventually(t, "it backs off", func() bool { return info(t, e, backing).State == procession.BackingOff })

	spec = procession.Shell("trap '' TERM; sleep 1000 >/dev/null 2>&1 & echo pid $!")
	spec.Grace = 500 * time.Millisecond
	exit, out := run(t, e, spec)
	left := pids(out.Stdout())
	if !exit.Success() || len(left) != 1 {
		t.Fatalf("%v, %q", exit, out.Stdout())
	}
	if !alive(left[0]) {
		t.Log("what was left behind did not live until the shutdown")
	}
	start(t, e, procession.Shell("sleep 1000"))
	if report := must(e.Shutdown(within(t)))(t); report != (procession.ShutdownReport{Terminated: 1}) {
		t.Errorf("%+v", report)
	}
	if alive(left[0]) {
		t.Errorf("%d is left", left[0])
	}
}

// Once a call has returned, what it was given is the caller's again, also if its
// context ended while the request was under way.
func TestWhatACallWasGivenIsTheCallersAgain(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for i := range 60 {
		spec := procession.Spec{
			Command: "sleep", Args: []string{"1000"}, Env: map[string]string{"A": "1"}, Labels: map[string]string{"agent": "a1"},
			PTY: &procession.Size{}, Ready: &procession.Probe{Exec: []string{"true"}},
		}
		if i%2 == 0 {
			spec.PTY = nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i%6)*60*time.Microsecond)
		_, err := e.Start(ctx, spec)
		spec.Args[0], spec.Env["A"], spec.Env["B"], spec.Labels["agent"], spec.Labels["b"] = "changed", "changed", "", "changed", ""
		spec.Ready.Exec[0], spec.Ready.Pattern = "changed", "("
		if spec.PTY != nil {
			spec.PTY.Rows = 1000
		}
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		s := procession.Selector{
			Labels: map[string]string{"agent": "a1"}, Names: []string{""}, States: []procession.State{procession.Starting, procession.Running},
		}
		calls := []func(context.Context) error{
			func(ctx context.Context) error { _, err := e.KillAll(ctx, s); return err },
			func(ctx context.Context) error { _, err := e.ReleaseAll(ctx, s); return err },
			func(ctx context.Context) error { _, err := e.List(ctx, s); return err },
		}
		ctx, cancel = context.WithTimeout(context.Background(), time.Duration(i%6)*60*time.Microsecond)
		err = calls[i%len(calls)](ctx)
		s.Labels["agent"], s.Labels["b"], s.Names[0], s.States[0] = "changed", "", "changed", procession.Exited
		cancel()
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
	}
	for _, i := range must(e.List(within(t)))(t) {
		if i.Args[0] != "1000" || i.Labels["agent"] != "a1" || len(i.Labels) != 1 {
			t.Errorf("what the caller does to its Spec changes the process: %+v", i)
		}
	}
}

func TestAnEngineLeavesNoAddressInASharedActorSystem(t *testing.T) {
	t.Parallel()
	system := newSystem()
	addresses := func() (n int) {
		for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
			n += bucket.Count()
		}
		return n
	}
	before := addresses()
	e := newEngine(t, procession.WithActorSystem(system))
	id := start(t, e, procession.Spec{Command: "cat", Stdin: true})
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			if _, err := e.Wait(within(t), id); err != nil && !isClosed(err) {
				t.Error(err)
			}
		})
		group.Go(func() {
			if _, err := e.Info(within(t), id); err != nil && !isClosed(err) {
				t.Error(err)
			}
		})
	}
	group.Go(func() { must(e.Shutdown(within(t)))(t) })
	group.Wait()
	eventually(t, "as many addresses as before", func() bool { return addresses() == before })
	for range 20 {
		for name, ask := range map[string]func() error{
			"List":  func() error { _, err := e.List(within(t)); return err },
			"Wait":  func() error { _, err := e.Wait(within(t), id); return err },
			"Write": func() error { _, err := e.Write(within(t), id, []byte("x")); return err },
		} {
			if err := ask(); !isClosed(err) {
				t.Errorf("%s after Shutdown: %v", name, err)
			}
			if now := addresses(); now != before {
				t.Fatalf("%d addresses after a %s, and %d before", now, name, before)
			}
		}
	}
}

// As os/exec does: the environment of the process is no place to look for it.
func TestTheProgramIsLookedUpOnTheEnginesPATH(t *testing.T) {
	dir := t.TempDir()
	spec := procession.Spec{Command: "a-program-of-this-test", Env: map[string]string{"PATH": dir}}
	if err := os.WriteFile(filepath.Join(dir, spec.Command), []byte("#!/bin/sh\necho \"PATH=$PATH\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	e := newEngine(t)
	if id, err := e.Start(within(t), spec); !errors.Is(err, exec.ErrNotFound) || !errors.Is(err, procession.ErrStart) {
		t.Errorf("on the PATH of Env: %q, %v", id, err)
	}
	t.Setenv("PATH", dir)
	spec.Env["PATH"] = "/does/not/exist"
	if exit, out := run(t, e, spec); !exit.Success() || out.Stdout() != "PATH=/does/not/exist\n" {
		t.Errorf("on the engine's PATH: %v, %q", exit, out.Combined())
	}
	spec.ClearEnv = true
	if exit, out := run(t, e, spec); !exit.Success() || out.Stdout() != "PATH=/does/not/exist\n" {
		t.Errorf("with an environment of its own: %v, %q", exit, out.Combined())
	}
}

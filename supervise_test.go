//go:build linux

package procession_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// quick is a policy that does not make a test wait.
var quick = procession.Policy{When: procession.OnFailure, MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond}

// counting is a line that counts its runs in a file, and then does what a case
// statement on the number of the run says.
func counting(t *testing.T, cases string) procession.Spec {
	file := filepath.Join(t.TempDir(), "runs")
	return procession.Shell(fmt.Sprintf(`echo x >>%q; n=$(wc -l <%q | tr -d ' '); echo run $n; case $n in %s esac`, file, file, cases))
}

func TestRestartsUntilItSucceeds(t *testing.T) {
	e := newEngine(t)
	spec := counting(t, `1) exit 1;; 2) kill -9 $$;; *) exit 0;;`)
	spec.Restart = quick
	id := start(t, e, spec)
	exit := must(e.Wait(within(t), id))(t)
	if !exit.Success() {
		t.Fatal(exit)
	}
	got := info(t, e, id)
	if got.Restarts != 2 || got.State != procession.Exited || len(got.Incarnations) != 3 {
		t.Fatalf("%+v", got)
	}
	out := must(e.Output(within(t), id))(t)
	if out.Stdout() != "run 1\nrun 2\nrun 3\n" {
		t.Errorf("the log does not run through: %q", out.Stdout())
	}
	ends := []string{"exit status 1", "signal: SIGKILL", "exit status 0"}
	for i, incarnation := range got.Incarnations {
		if incarnation.Exit.String() != ends[i] || incarnation.Mark != int64(6*i) {
			t.Errorf("incarnation %d: %+v", i, incarnation)
		}
	}
	chunk := must(e.Read(within(t), id, procession.ReadOptions{Cursor: got.Incarnations[1].Mark, MaxBytes: 5}))(t)
	if string(chunk.Segments[0].Data) != "run 2" {
		t.Errorf("at the mark of incarnation 1: %q", chunk.Segments[0].Data)
	}
}

func TestGivesUpAfterMaxRestarts(t *testing.T) {
	e := newEngine(t)
	spec := counting(t, `*) exit $n;;`)
	spec.Restart = quick
	spec.Restart.MaxRestarts = 20
	id := start(t, e, spec)
	exit := must(e.Wait(within(t), id))(t)
	got := info(t, e, id)
	if exit.Code != 21 || got.Restarts != 20 || len(got.Incarnations) != 16 || got.Incarnations[0].Exit.Code != 6 {
		t.Errorf("%v, %+v", exit, got)
	}
}

func TestAlwaysRestartsAlsoAfterSuccess(t *testing.T) {
	e := newEngine(t)
	spec := counting(t, `4) sleep 1000;; *) exit 0;;`)
	spec.Restart = quick
	spec.Restart.When = procession.Always
	id := start(t, e, spec)
	must(e.WaitFor(within(t), id, regexp.MustCompile("run 4")))(t)
	if got := info(t, e, id); got.Restarts != 3 || got.State != procession.Running {
		t.Errorf("%+v", got)
	}
}

func TestAStopAskedForIsNotRestarted(t *testing.T) {
	e := newEngine(t)
	spec := procession.Shell("echo up; sleep 1000")
	spec.Restart = quick
	spec.Restart.When = procession.Always
	id := start(t, e, spec)
	must(e.WaitFor(within(t), id, regexp.MustCompile("up")))(t)
	exit := must(e.Kill(within(t), id))(t)
	if got := info(t, e, id); exit.Cause != procession.CauseKilled || got.State != procession.Exited || got.Restarts != 0 {
		t.Errorf("%v, %+v", exit, got)
	}
}

func TestKillCancelsTheBackOff(t *testing.T) {
	e := newEngine(t)
	spec := procession.Shell("echo once; exit 5")
	spec.Restart = procession.Policy{When: procession.OnFailure, MinBackoff: time.Hour, MaxBackoff: time.Hour}
	id := start(t, e, spec)
	waited := make(chan procession.Exit, 1)
	go func() {
		exit, err := e.Wait(within(t), id)
		if err != nil {
			t.Error(err)
		}
		waited <- exit
	}()
	eventually(t, "backing off", func() bool { return info(t, e, id).State == procession.BackingOff })
	if out := must(e.Output(within(t), id))(t); out.Stdout() != "once\n" || out.Exit != nil {
		t.Errorf("in back-off: %q, %v", out.Stdout(), out.Exit)
	}
	if exit := must(e.Kill(within(t), id))(t); exit.Code != 5 || exit.Cause != procession.CauseExited {
		t.Errorf("%+v", exit)
	}
	if exit := <-waited; exit.Code != 5 {
		t.Errorf("%+v", exit)
	}
}

func TestARestartThatCannotStartIsAFailureThatSaysSo(t *testing.T) {
	e := newEngine(t)
	program := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\nrm $0\nexit 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	spec := procession.Spec{Command: program, Restart: quick}
	spec.Restart.MaxRestarts = 2
	id := start(t, e, spec)
	exit := must(e.Wait(within(t), id))(t)
	if exit.Cause != procession.CauseStartFailed || exit.Success() || !strings.Contains(exit.Reason, "no such file") {
		t.Errorf("%+v", exit)
	}
	if got := info(t, e, id); got.Restarts != 2 {
		t.Errorf("%+v", got)
	}
}

func TestWhatAnIncarnationSpawnedEndsWithIt(t *testing.T) {
	e := newEngine(t)
	spec := counting(t, `1) setsid sh -c 'echo pid $$ >&2; exec sleep 1000 2>/dev/null >&2' & sleep 0.2; exit 1;; *) sleep 1000;;`)
	spec.Restart = quick
	id := start(t, e, spec)
	must(e.WaitFor(within(t), id, regexp.MustCompile("run 2")))(t)
	out := must(e.Output(within(t), id))(t)
	var pid int
	fmt.Sscanf(out.Stderr(), "pid %d", &pid)
	if pid == 0 || alive(pid) {
		t.Errorf("process %d (%q) is alive in the next incarnation", pid, out.Stderr())
	}
}

func TestTimeoutRunsForEachIncarnation(t *testing.T) {
	e := newEngine(t)
	spec := procession.Shell("echo up; sleep 1000")
	spec.Timeout, spec.Restart = 50*time.Millisecond, quick
	spec.Restart.MaxRestarts = 2
	id := start(t, e, spec)
	exit := must(e.Wait(within(t), id))(t)
	if got := info(t, e, id); exit.Cause != procession.CauseTimeout || got.Restarts != 2 {
		t.Errorf("%v, %+v", exit, got)
	}
}

func TestReadyWhenItRuns(t *testing.T) {
	e := newEngine(t)
	id := start(t, e, procession.Spec{Command: "sleep", Args: []string{"1000"}})
	if err := e.WaitReady(within(t), id); err != nil || !info(t, e, id).Ready {
		t.Error(err)
	}
}

func TestWhatWasReadyIsNotReadyAfterItsEnd(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for name, ready := range map[string]*procession.Probe{"without a probe": nil, "with one": {Pattern: "^up$"}} {
		spec := withStdin(procession.Shell("echo up; read line; exit 3"))
		spec.Ready = ready
		id := start(t, e, spec)
		if err := e.WaitReady(within(t), id); err != nil {
			t.Fatal(err)
		}
		if err := e.CloseStdin(within(t), id); err != nil {
			t.Fatal(err)
		}
		must(e.Wait(within(t), id))(t)
		err := e.WaitReady(within(t), id)
		if !errors.Is(err, procession.ErrExited) || strings.Contains(err.Error(), "before it was ready") || !strings.Contains(err.Error(), "exit status 3") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReadyWhenAProbeHolds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(http.StatusFound)
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "file")
	for name, probe := range map[string]procession.Probe{
		"pattern":              {Pattern: "^listening on [0-9]+$"},
		"pattern without end":  {Pattern: "password: $"},
		"tcp":                  {TCP: listener.Addr().String()},
		"http":                 {HTTP: server.URL},
		"exec":                 {Exec: []string{"test", "-e", file}},
		"all":                  {Pattern: "on 80", TCP: listener.Addr().String(), HTTP: server.URL, Exec: []string{"test", "-e", file}},
		"exec with descendant": {Exec: []string{"sh", "-c", "sleep 1000 & test -e " + file}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t)
			spec := procession.Shell(`echo listen; sleep 0.1; touch ` + file + `; echo ing; echo listening on 80; printf 'password: '; sleep 1000`)
			probe.Interval = 10 * time.Millisecond
			spec.Ready = &probe
			id := start(t, e, spec)
			if err := e.WaitReady(within(t), id); err != nil {
				t.Fatal(err)
			}
			if !info(t, e, id).Ready {
				t.Error("not ready after WaitReady")
			}
			if name == "http" && asked.Load() < 3 {
				t.Error("503 was taken for ready")
			}
			must(e.Kill(within(t), id))(t)
			if info(t, e, id).Ready {
				t.Error("ready after its end")
			}
		})
	}
}

func TestAProbeThatNeverHoldsEndsTheIncarnation(t *testing.T) {
	for name, c := range map[string]struct {
		probe procession.Probe
		says  string
	}{
		"pattern": {procession.Probe{Pattern: "never"}, `"never"`},
		"tcp":     {procession.Probe{TCP: "127.0.0.1:1"}, "refused"},
		"http":    {procession.Probe{HTTP: "http://127.0.0.1:1/"}, "refused"},
		"exec":    {procession.Probe{Exec: []string{"false"}}, "exit status 1"},
		"no exec": {procession.Probe{Exec: []string{"/nope"}}, "no such file"},
		"hangs":   {procession.Probe{Exec: []string{"sh", "-c", "sleep 1000 & wait"}}, "not ready within 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEngine(t)
			spec := procession.Shell("echo up; sleep 1000")
			c.probe.Timeout, c.probe.Interval = 100*time.Millisecond, 10*time.Millisecond
			spec.Ready, spec.Restart = &c.probe, quick
			spec.Restart.MaxRestarts = 1
			id := start(t, e, spec)
			err := e.WaitReady(within(t), id)
			if !errors.Is(err, procession.ErrExited) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("WaitReady: %v", err)
			}
			exit := must(e.Wait(within(t), id))(t)
			if exit.Cause != procession.CauseNotReady || !strings.Contains(exit.Reason, c.says) {
				t.Errorf("%+v", exit)
			}
			if got := info(t, e, id); got.Restarts != 1 {
				t.Errorf("%d restarts", got.Restarts)
			}
		})
	}
}

// What a pattern is looked for in need not be retained.
func TestAPatternIsFoundInMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := helper("burst", "ready", "60000")
	spec.OutputLimit, spec.Ready = 100, &procession.Probe{Pattern: "^ready$"}
	id := start(t, e, spec)
	if err := e.WaitReady(within(t), id); err != nil {
		t.Fatal(err)
	}
	eventually(t, "all of it has come", func() bool { return info(t, e, id).OutputBytes == 60006 })
	if got := info(t, e, id); !got.Ready || got.Retained > 100 {
		t.Errorf("%+v", got)
	}
}

func TestAnHTTPProbeThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	listener := must(net.Listen("tcp", "127.0.0.1:0"))(t)
	accepted, closed := make(chan net.Conn, 100), make(chan struct{})
	go func() {
		defer close(closed)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			accepted <- conn // and never answers
		}
	}()
	t.Cleanup(func() {
		listener.Close()
		<-closed
		for len(accepted) > 0 {
			(<-accepted).Close()
		}
	})
	e := newEngine(t)
	url := "http://" + listener.Addr().String() + "/health"
	spec := procession.Shell("sleep 1000")
	spec.Ready = &procession.Probe{HTTP: url}
	id := start(t, e, spec)
	conn := <-accepted // now it hangs
	defer conn.Close()
	begin := time.Now()
	for range 10 {
		if got := info(t, e, id); got.State != procession.Running || got.Ready {
			t.Errorf("%+v", got)
		}
	}
	if took := time.Since(begin); took > 4*time.Second { // the attempt takes 5
		t.Errorf("ten answers took %v", took)
	}
	must(e.Kill(within(t), id))(t)

	spec.Ready.Timeout = 100 * time.Millisecond
	id = start(t, e, spec)
	if err := e.WaitReady(within(t), id); !errors.Is(err, procession.ErrExited) || !strings.Contains(err.Error(), url) {
		t.Errorf("WaitReady: %v", err)
	}
	if exit := must(e.Wait(within(t), id))(t); exit.Cause != procession.CauseNotReady || !strings.Contains(exit.Reason, url) {
		t.Errorf("%+v", exit)
	}
}

func TestAPortThatIsNoneIsRefused(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, address := range []string{"127.0.0.1:99999", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1", ":::1"} {
		spec := procession.Shell("sleep 1000")
		spec.Ready = &procession.Probe{TCP: address}
		if id, err := e.Start(within(t), spec); !errors.Is(err, procession.ErrInvalidSpec) || !strings.Contains(err.Error(), "Ready.TCP") {
			t.Errorf("%s: %q, %v", address, id, err)
		}
	}
}

func TestProcessesEndWithTheirOwner(t *testing.T) {
	e := newEngine(t)
	for name, end := range map[string]func(*actor.ActorSystem, *actor.PID){
		"stop":   func(s *actor.ActorSystem, pid *actor.PID) { s.Root.Stop(pid) },
		"poison": func(s *actor.ActorSystem, pid *actor.PID) { s.Root.Poison(pid) },
		"panic":  func(s *actor.ActorSystem, pid *actor.PID) { s.Root.Send(pid, "panic") },
	} {
		t.Run(name, func(t *testing.T) {
			system := e.System()
			started := make(chan *messages.ProcessStarted, 8)
			props := actor.PropsFromFunc(func(ctx actor.Context) {
				switch m := ctx.Message().(type) {
				case *actor.Started:
					for range 3 {
						ctx.Request(e.Pool(), &messages.StartProcess{
							Spec: procession.Shell("setsid sleep 1000 & sleep 1000"), Owner: ctx.Self()})
					}
				case *messages.ProcessStarted:
					started <- m
				case string:
					panic(m)
				}
			})
			// Its supervisor stops it when it panics.
			parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if request, ok := ctx.Message().(string); ok {
					ctx.Respond(ctx.SpawnPrefix(props, request))
				}
			}, actor.WithSupervisor(actor.NewOneForOneStrategy(0, 0, actor.DefaultDecider))))
			defer system.Root.Stop(parent)
			reply, err := system.Root.RequestFuture(parent, "owner", patience).Result()
			if err != nil {
				t.Fatal(err)
			}
			var pids []int
			for range 3 {
				pids = append(pids, (<-started).PID)
			}
			other := start(t, e, procession.Shell("sleep 1000"))
			end(system, reply.(*actor.PID))
			eventually(t, "its processes were released", func() bool {
				list := must(e.List(within(t)))(t)
				return len(list) == 1 && list[0].ID == other
			})
			if slices.ContainsFunc(pids, alive) {
				t.Errorf("some of %v are alive", pids)
			}
			if err := e.Release(within(t), other); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAnOwnerThatHasStoppedAlready(t *testing.T) {
	e := newEngine(t)
	owner := e.System().Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
	if err := e.System().Root.StopFuture(owner).Wait(); err != nil {
		t.Fatal(err)
	}
	events := collect(t, e)
	e.System().Root.Send(e.Pool(), &messages.StartProcess{Spec: procession.Shell("sleep 1000"), Owner: owner})
	events.await(t, func(m procession.Event) bool { _, ok := m.(*messages.ProcessReleased); return ok })
	if list := must(e.List(within(t)))(t); len(list) > 0 {
		t.Errorf("%+v", list)
	}
}

func TestMonitorTellsOnce(t *testing.T) {
	e := newEngine(t)
	asker, other := newMailbox(t, e.System()), newMailbox(t, e.System())
	id := start(t, e, withStdin(procession.Shell("read line; exit 3")))
	monitor := func(m *mailbox) {
		e.System().Root.RequestWithCustomSender(e.Pool(), &messages.Monitor{ID: id}, m.pid)
	}
	// down takes what comes next, after which nothing more may have come.
	down := func() {
		t.Helper()
		if down, ok := asker.next(t).(*messages.ProcessDown); !ok || down.ID != id || down.Exit.Code != 3 {
			t.Errorf("%+v", down)
		}
		for range 2 {
			askFor[*messages.Info](t, asker, e.Pool(), &messages.GetInfo{ID: id})
		}
	}
	monitor(asker)
	monitor(asker) // still one
	monitor(other)
	askFor[*messages.Done](t, other, e.Pool(), &messages.Demonitor{ID: id})
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	down()
	monitor(asker) // it has ended: at once
	down()
	if err := e.Release(within(t), id); err != nil {
		t.Fatal(err)
	}
	for _, m := range []*mailbox{asker, other} {
		askFor[*messages.Error](t, m, e.Pool(), &messages.GetInfo{ID: id})
		askFor[*messages.ProcessList](t, m, e.Pool(), &messages.ListProcesses{})
		if len(m.got) > 0 {
			t.Errorf("told again: %+v", <-m.got)
		}
	}
}

func TestSelection(t *testing.T) {
	e := newEngine(t)
	sleeper := func(name, agent string) string {
		spec := procession.Shell("sleep 1000")
		spec.Name, spec.Labels = name, map[string]string{"agent": agent, "kind": "sleeper"}
		return start(t, e, spec)
	}
	a1, b1, a2 := sleeper("a", "1"), sleeper("b", "1"), sleeper("a", "2")
	ended := start(t, e, procession.Spec{Command: "true", Name: "a", Labels: map[string]string{"agent": "1"}})
	must(e.Wait(within(t), ended))(t)
	for _, c := range []struct {
		selectors []procession.Selector
		want      []string
	}{
		{nil, []string{a1, b1, a2, ended}},
		{[]procession.Selector{{}}, []string{a1, b1, a2, ended}},
		{[]procession.Selector{{Labels: map[string]string{"agent": "1"}}}, []string{a1, b1, ended}},
		{[]procession.Selector{{Labels: map[string]string{"agent": "1", "kind": "sleeper"}}}, []string{a1, b1}},
		{[]procession.Selector{{Names: []string{"b", "c"}}}, []string{b1}},
		{[]procession.Selector{{States: []procession.State{procession.Exited}}}, []string{ended}},
		{[]procession.Selector{{Names: []string{"a"}, States: []procession.State{procession.Running, procession.Stopping}}}, []string{a1, a2}},
		{[]procession.Selector{{Names: []string{"a"}}, {Labels: map[string]string{"agent": "2"}}}, []string{a2}},
		{[]procession.Selector{{Labels: map[string]string{"no": "such"}}}, nil},
	} {
		var got []string
		for _, i := range must(e.List(within(t), c.selectors...))(t) {
			got = append(got, i.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.selectors, got, c.want)
		}
	}
	if n := must(e.KillAll(within(t), procession.Selector{Labels: map[string]string{"agent": "1"}}))(t); n != 2 {
		t.Errorf("killed %d", n)
	}
	if got := info(t, e, a1); got.Exit == nil || got.Exit.Cause != procession.CauseKilled {
		t.Errorf("%+v", got)
	}
	if got := info(t, e, a2); got.State != procession.Running {
		t.Errorf("%+v", got)
	}
	if n := must(e.ReleaseAll(within(t), procession.Selector{Names: []string{"a"}}))(t); n != 3 {
		t.Errorf("released %d", n)
	}
	if list := must(e.List(within(t)))(t); len(list) != 1 || list[0].ID != b1 {
		t.Errorf("%+v", list)
	}
	if n := must(e.KillAll(within(t), procession.Selector{Names: []string{"nobody"}}))(t); n != 0 {
		t.Errorf("killed %d", n)
	}
}

// What has ended is not killed, but what it left behind is.
func TestKillAllWaitsForWhatIsLeftOfTheEnded(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	for _, line := range []string{
		"(trap '' TERM; echo ready; exec sleep 1000 >/dev/null 2>&1) & sleep 0.2",
		"trap '' TERM; setsid sleep 1000 >/dev/null 2>&1 & exit 0",
	} {
		spec := procession.Shell(line)
		spec.Name, spec.Grace = "ended", 300*time.Millisecond
		id := start(t, e, spec)
		must(e.Wait(within(t), id))(t)
		before := len(carrying("PROCESSION_ID=" + id))
		n := must(e.KillAll(within(t), procession.Selector{Names: []string{"ended"}}))(t)
		if left := carrying("PROCESSION_ID=" + id); n != 0 || len(left) > 0 {
			t.Errorf("%s: killed %d, and left are %v of %d", line, n, left, before)
		}
	}
}

// events collects an engine's events.
type events chan procession.Event

func collect(t *testing.T, e *procession.Engine) events {
	collected := make(events, 4096)
	seq := e.Events(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for event := range seq {
			collected <- event
		}
	}()
	t.Cleanup(func() { <-done })
	return collected
}

// await returns the events up to the first that holds.
func (c events) await(t *testing.T, holds func(procession.Event) bool) (got []procession.Event) {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case event := <-c:
			got = append(got, event)
			if holds(event) {
				return got
			}
		case <-deadline:
			t.Fatalf("only %v", got)
		}
	}
}

func kinds(events []procession.Event) (names []string) {
	for _, event := range events {
		names = append(names, strings.TrimPrefix(fmt.Sprintf("%T", event), "*messages.Process"))
	}
	return names
}

func TestEventsTellEveryTransitionInOrder(t *testing.T) {
	e, other := newEngine(t), newEngine(t)
	told := collect(t, e)
	start(t, other, procession.Shell("exit 0")) // its events are not ours
	spec := counting(t, `1) exit 1;; *) echo up; sleep 1000;;`)
	spec.Restart = quick
	id := start(t, e, spec)
	must(e.WaitFor(within(t), id, regexp.MustCompile("up")))(t)
	if err := e.Release(within(t), id); err != nil {
		t.Fatal(err)
	}
	got := told.await(t, func(m procession.Event) bool { _, ok := m.(*messages.ProcessReleased); return ok })
	want := []string{"Started", "Ready", "Exited", "Restarting", "Started", "Ready", "Stopping", "Exited", "Released"}
	if !slices.Equal(kinds(got), want) {
		t.Fatalf("%v, want %v", kinds(got), want)
	}
	if first := got[2].(*messages.ProcessExited); first.Final || first.Exit.Code != 1 || first.ID != id {
		t.Errorf("%+v", first)
	}
	if again := got[4].(*messages.ProcessStarted); again.Incarnation != 1 || again.Mark != 6 {
		t.Errorf("%+v", again)
	}
	if last := got[7].(*messages.ProcessExited); !last.Final || last.Exit.Cause != procession.CauseKilled {
		t.Errorf("%+v", last)
	}
}

func TestASlowListenerLosesOldEventsAndSlowsNobody(t *testing.T) {
	e := newEngine(t, procession.WithRetention(0, 0), procession.WithID("slow-"+t.Name()))
	published, released := []procession.Event{}, make(chan struct{}, 1)
	subscription := e.System().EventStream.Subscribe(func(m any) {
		if event, ok := m.(procession.Event); ok {
			published = append(published, event)
			if _, ok := event.(*messages.ProcessReleased); ok {
				released <- struct{}{}
			}
		}
	})
	defer e.System().EventStream.Unsubscribe(subscription)
	seq := e.Events(context.Background()) // listens from now on, and does not take anything yet
	const kept = 1024
	for range 300 { // of four events or more each, of one process after the other
		start(t, e, procession.Spec{Command: "true"})
		<-released
	}
	must(e.Shutdown(within(t)))(t)
	got := yielded(t, seq)
	if len(published) <= kept || len(got) != 1+kept {
		t.Fatalf("%d events of %d", len(got), len(published))
	}
	if lost, ok := got[0].(*messages.EventsLost); !ok || lost.N != len(published)-kept {
		t.Errorf("%d events, of which %+v", len(published), got[0])
	}
	if !slices.Equal(got[1:], published[len(published)-kept:]) {
		t.Error("what is kept are not the newest, in order")
	}
}

// yielded is all that events yield until they end.
func yielded(t *testing.T, events iter.Seq[procession.Event]) (got []procession.Event) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		got = slices.Collect(events)
	}()
	select {
	case <-done:
		return got
	case <-time.After(patience):
		t.Fatal("the events do not end")
		return nil
	}
}

func TestEventsAreForOneIteration(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	left, ended := e.Events(context.Background()), e.Events(context.Background())
	start(t, e, procession.Shell("sleep 1000"))
	for range left {
		break
	}
	start(t, e, procession.Shell("sleep 1000"))
	if got := yielded(t, left); len(got) > 0 {
		t.Errorf("a second iteration while the engine lives: %v", kinds(got))
	}
	must(e.Shutdown(within(t)))(t)
	if got := yielded(t, ended); len(got) != 8 {
		t.Errorf("%v", kinds(got))
	}
	for name, seq := range map[string]iter.Seq[procession.Event]{
		"a third": left, "a second": ended, "one begun after Shutdown": e.Events(context.Background()),
	} {
		if got := yielded(t, seq); len(got) > 0 {
			t.Errorf("%s iteration after Shutdown: %v", name, kinds(got))
		}
	}
}

func TestEventsEndWithTheEngine(t *testing.T) {
	e := newEngine(t)
	told := e.Events(context.Background())
	start(t, e, procession.Shell("sleep 1000"))
	must(e.Shutdown(within(t)))(t)
	var got []procession.Event
	for event := range told {
		got = append(got, event)
	}
	if want := []string{"Started", "Ready", "Stopping", "Exited"}; !slices.Equal(kinds(got), want) {
		t.Errorf("%v, want %v", kinds(got), want)
	}
}

// Who is told that it is ready finds the line by which it is in the output.
func TestWhatMadeItReadyIsInTheOutput(t *testing.T) {
	e := newEngine(t)
	spec := procession.Shell(`echo ready; exec sleep 1000`)
	spec.Ready = &procession.Probe{Pattern: "^ready$"}
	for range 100 {
		id := start(t, e, spec)
		if err := e.WaitReady(within(t), id); err != nil {
			t.Fatal(err)
		}
		if out := must(e.Output(within(t), id))(t); out.Stdout() != "ready\n" {
			t.Fatalf("ready, with the output %q", out.Stdout())
		}
		if err := e.Release(within(t), id); err != nil {
			t.Fatal(err)
		}
	}
}

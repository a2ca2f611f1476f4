//go:build linux

package procession_test

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/internal/testkit/program"
	"github.com/procession-go/procession/messages"
)

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
		assert.ErrorContains(t, err, name)
		if e != nil {
			e.Shutdown(testkit.Within(t))
		}
		_, err = procession.PoolProps(opt)
		assert.ErrorContains(t, err, name, "of PoolProps")
	}
}

func TestMaxProcesses(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithMaxProcesses(2))
	_, err := e.Start(testkit.Within(t), procession.Spec{Command: "/does/not/exist"})
	assert.ErrorIs(t, err, procession.ErrStart)
	first := enginetest.Start(t, e, procession.Shell("sleep 1000"))
	enginetest.Start(t, e, procession.Shell("sleep 1000"))
	_, err = e.Start(testkit.Within(t), procession.Shell("true"))
	assert.ErrorIs(t, err, procession.ErrLimit, "the third")
	enginetest.Kill(t, e, first)
	third := enginetest.Start(t, e, procession.Shell("true")) // what has ended does not count
	enginetest.Wait(t, e, third)
	enginetest.Start(t, e, procession.Shell("sleep 1000"))
	_, err = e.Start(testkit.Within(t), procession.Shell("true"))
	assert.ErrorIs(t, err, procession.ErrLimit, "the fifth, after one has ended")
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Len(t, list, 4, "what was refused is in List")
}

func TestCapabilitiesTellWhatHoldsHere(t *testing.T) {
	e := enginetest.New(t)
	c := e.Capabilities()
	require.Equal(t, messages.ContainmentMarks, c.Containment)
	require.False(t, c.Guarded, "nobody asked for a guardian")
	require.Empty(t, c.Controllers)
	switch c.Start {
	case messages.StartScript:
		require.Contains(t, []string{"amd64", "arm64"}, runtime.GOARCH)
	case messages.StartPlain:
		require.Contains(t, c.Reason, "no start by a script")
	default:
		assert.Fail(t, "a start of an unknown kind", "%q", c.Start)
	}
	answer, err := e.System().Root.RequestFuture(e.Pool(), &messages.GetCapabilities{}, testkit.Patience).Result()
	require.NoError(t, err)
	require.Equal(t, &c, answer, "by message it is the same")
}

func TestAnEngineThatHasEndedIsCapableOfNothing(t *testing.T) {
	e := enginetest.New(t)
	_, err := e.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	c := e.Capabilities()
	require.NotEmpty(t, c.Reason)
	c.Reason = ""
	require.Equal(t, procession.Capabilities{}, c)
}

func TestTheSpecIsTheEnginesOwn(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := procession.Spec{
		Command: "sleep", Args: []string{"1000"}, Labels: map[string]string{"agent": "a1"}, Env: map[string]string{"A": "1"},
	}
	args, labels := []string{"1000"}, map[string]string{"agent": "a1"}
	id := enginetest.Start(t, e, spec)
	spec.Args[0], spec.Labels["agent"] = "changed", "changed"
	first := enginetest.Info(t, e, id)
	assert.Equal(t, args, first.Args, "what the caller does to its Spec changes the process")
	assert.Equal(t, labels, first.Labels, "what the caller does to its Spec changes the process")
	first.Args[0], first.Labels["agent"] = "changed", "changed"
	second := enginetest.Info(t, e, id)
	assert.Equal(t, args, second.Args, "what one caller does to its Info changes that of others")
	assert.Equal(t, labels, second.Labels, "what one caller does to its Info changes that of others")
}

// Once a call has returned, what it was given is the caller's again, also if its
// context ended while the request was under way.
func TestWhatACallWasGivenIsTheCallersAgain(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	inTime := func(err error) {
		t.Helper()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
	}
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
		inTime(err)
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
		inTime(err)
	}
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	for _, i := range list {
		assert.Equal(t, []string{"1000"}, i.Args, "what the caller does to its Spec changes the process")
		assert.Equal(t, map[string]string{"agent": "a1"}, i.Labels, "what the caller does to its Spec changes the process")
	}
}

func TestListSelects(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for i, labels := range []map[string]string{{"agent": "a1"}, {"agent": "a1", "kind": "build"}, {"agent": "a2", "kind": "build"}, nil} {
		line := "sleep 1000"
		if i == 1 {
			line = "true"
		}
		spec := procession.Shell(line)
		spec.Name, spec.Labels = fmt.Sprint("p", i), labels
		id := enginetest.Start(t, e, spec)
		if i == 1 {
			enginetest.Wait(t, e, id)
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
		list, err := e.List(testkit.Within(t), test.selectors...)
		require.NoError(t, err)
		var names []string
		for _, i := range list {
			names = append(names, i.Name)
		}
		assert.Equal(t, test.want, strings.Join(names, " "), "%+v", test.selectors)
	}
}

func TestAPoolIsSpawnedByTheCaller(t *testing.T) {
	t.Parallel()
	props, err := procession.PoolProps(procession.WithGrace(testkit.Patience), procession.WithMaxProcesses(1))
	require.NoError(t, err)
	system := enginetest.NewSystem()
	pool, asker := system.Root.Spawn(props), enginetest.NewAsker(t, system)
	start := &messages.StartProcess{Spec: procession.Shell("sleep 1000")}
	started := enginetest.Ask[*messages.ProcessStarted](t, asker, pool, start)
	assert.True(t, testkit.Alive(started.PID), "it is not there: %+v", started)
	assert.ErrorIs(t, enginetest.Ask[*messages.Error](t, asker, pool, start), procession.ErrLimit)
	report := enginetest.Ask[*messages.ShutdownReport](t, asker, pool, &messages.Shutdown{})
	assert.Equal(t, &procession.ShutdownReport{Terminated: 1}, report)
	assert.False(t, testkit.Alive(started.PID), "it is there after a Shutdown")
}

func TestTheLastOfSeveralOptionsCounts(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, program.Spec("signals", "SIGINT"))
	enginetest.AwaitText(t, e, id, "ready")
	err := e.Signal(testkit.Within(t), id, syscall.SIGINT, procession.ScopeLeader, procession.ScopeLeader+1)
	assert.ErrorIs(t, err, procession.ErrInvalidRequest, "a scope that is none")
	exit, err := e.Kill(testkit.Within(t), id,
		procession.KillOptions{Signal: syscall.SIGKILL}, procession.KillOptions{Signal: syscall.SIGINT, Grace: testkit.Patience})
	require.NoError(t, err)
	assert.Equal(t, 4, exit.Code, "%v: it ended otherwise than by itself on SIGINT", exit)
}

func TestACancelledContextEndsTheWaitingOnly(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(testkit.Patience))
	id := enginetest.Start(t, e, program.Spec("signals", "SIGHUP"))
	enginetest.AwaitText(t, e, id, "ready")
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
		assert.ErrorIs(t, call(cancelled), context.Canceled, name)
	}
	for _, name := range []string{"Wait", "Read", "Follow", "Kill"} {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		assert.ErrorIs(t, calls[name](ctx), context.DeadlineExceeded, name)
		cancel()
		i := enginetest.Info(t, e, id)
		assert.True(t, testkit.Alive(i.PID), "the process is not there after a %s whose context has ended", name)
		assert.Nil(t, i.Exit, name)
	}
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Len(t, list, 1, "a Start with a cancelled context has started something")
	assert.NoError(t, e.Signal(testkit.Within(t), id, syscall.SIGHUP))
	exit := enginetest.Wait(t, e, id)
	assert.Equal(t, 4, exit.Code, "it did not end by itself in its grace")
	assert.Equal(t, procession.CauseKilled, exit.Cause, "a Kill that nobody waits for any more does not go on")
}

func TestAfterShutdownEveryCallIsErrClosed(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("true"))
	ctx := testkit.Within(t)
	_, err := e.Shutdown(ctx)
	require.NoError(t, err)
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
		assert.ErrorIs(t, err, procession.ErrClosed, name)
	}
	n := 0
	for _, err := range e.Follow(ctx, id, procession.ReadOptions{}) {
		n++
		assert.ErrorIs(t, err, procession.ErrClosed, "Follow")
	}
	assert.Equal(t, 1, n, "how often Follow yields")
}

func second[T any](_ T, err error) error { return err }

func TestEnginesShareAnActorSystem(t *testing.T) {
	t.Parallel()
	system := actor.NewActorSystem()
	a, b := enginetest.New(t, procession.WithActorSystem(system)), enginetest.New(t, procession.WithActorSystem(system))
	assert.Same(t, system, a.System())
	assert.False(t, a.Pool().Equal(b.Pool()), "both have the pool %v", a.Pool())
	ofA, ofB := enginetest.Start(t, a, procession.Shell("sleep 1000")), enginetest.Start(t, b, procession.Shell("sleep 1000"))
	_, err := b.Info(testkit.Within(t), ofA)
	assert.ErrorIs(t, err, procession.ErrNotFound, "one engine asked about the other's process")
	report, err := a.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	assert.Equal(t, 1, report.Terminated)
	i := enginetest.Info(t, b, ofB)
	assert.Equal(t, procession.Running, i.State, "the end of one engine has touched the other's process")
	assert.True(t, testkit.Alive(i.PID), "the end of one engine has ended the other's process")
	assert.False(t, system.IsStopped(), "the end of an engine has stopped the caller's actor system")
}

func TestAnEngineLeavesNoAddressInASharedActorSystem(t *testing.T) {
	t.Parallel()
	system := enginetest.NewSystem()
	addresses := func() (n int) {
		for _, bucket := range system.ProcessRegistry.LocalPIDs.LocalPIDs {
			n += bucket.Count()
		}
		return n
	}
	before := addresses()
	e := enginetest.New(t, procession.WithActorSystem(system))
	id := enginetest.Start(t, e, procession.Spec{Command: "cat", Stdin: true})
	answered := func(call string, err error) {
		if err != nil {
			assert.ErrorIs(t, err, procession.ErrClosed, call)
		}
	}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			_, err := e.Wait(testkit.Within(t), id)
			answered("Wait", err)
		})
		group.Go(func() {
			_, err := e.Info(testkit.Within(t), id)
			answered("Info", err)
		})
	}
	group.Go(func() {
		_, err := e.Shutdown(testkit.Within(t))
		assert.NoError(t, err)
	})
	group.Wait()
	testkit.Eventually(t, func(c *assert.CollectT) { assert.Equal(c, before, addresses(), "addresses") })
	for range 20 {
		for name, ask := range map[string]func() error{
			"List":  func() error { _, err := e.List(testkit.Within(t)); return err },
			"Wait":  func() error { _, err := e.Wait(testkit.Within(t), id); return err },
			"Write": func() error { _, err := e.Write(testkit.Within(t), id, []byte("x")); return err },
		} {
			assert.ErrorIs(t, ask(), procession.ErrClosed, "%s after Shutdown", name)
			require.Equal(t, before, addresses(), "addresses after a %s", name)
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	var mu sync.Mutex
	ids := map[string]bool{}
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 15 {
				says := fmt.Sprintf("%d.%d", worker, i)
				id, err := e.Start(testkit.Within(t), procession.Shell("echo "+says))
				if !assert.NoError(t, err) {
					return
				}
				exit, err := e.Wait(testkit.Within(t), id)
				assert.NoError(t, err)
				assert.True(t, exit.Success(), "%s: %v", says, exit)
				out, err := e.Output(testkit.Within(t), id)
				assert.NoError(t, err)
				assert.Equal(t, says+"\n", out.Stdout())
				mu.Lock()
				ids[id] = true
				mu.Unlock()
				if i%2 == 0 {
					assert.NoError(t, e.Release(testkit.Within(t), id))
				}
			}
		})
	}
	all.Wait()
	assert.Len(t, ids, 120, "the IDs of 120 processes")
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Len(t, list, 8*7)
}

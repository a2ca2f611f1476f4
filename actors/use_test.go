//go:build linux

package actors_test

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
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

// asker is an actor that uses a pool by message.
type asker struct {
	*enginetest.Asker
	pool *actor.PID
}

func newAsker(t *testing.T, system *actor.ActorSystem, pool *actor.PID) asker {
	t.Helper()
	return asker{enginetest.NewAsker(t, system), pool}
}

func ask[T any](t *testing.T, a asker, request any) T {
	t.Helper()
	return enginetest.Ask[T](t, a.Asker, a.pool, request)
}

// useByMessage does by message all that an Engine can, ending with a shutdown.
func useByMessage(t *testing.T, system *actor.ActorSystem, pool *actor.PID) {
	a := newAsker(t, system, pool)
	started := ask[*messages.ProcessStarted](t, a, &messages.StartProcess{
		Spec: procession.Spec{Name: "cat", Command: "cat", Stdin: true, Labels: map[string]string{"a": "b"}}})
	id := started.ID
	assert.True(t, testkit.Alive(started.PID), "it is not there: %+v", started)
	assert.Zero(t, started.Incarnation)
	assert.Equal(t, 6, ask[*messages.Done](t, a, &messages.WriteStdin{ID: id, Data: []byte("hello\n")}).Written)
	chunk := ask[*messages.Chunk](t, a, &messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Wait: -1}})
	assert.Equal(t, "hello\n", messages.Output{Segments: chunk.Segments}.Combined())
	assert.False(t, chunk.EOF)
	info := ask[*messages.Info](t, a, &messages.GetInfo{ID: id})
	assert.Equal(t, "cat", info.Name)
	assert.Equal(t, started.PID, info.PID)
	ask[*messages.Done](t, a, &messages.WaitReady{ID: id})
	ask[*messages.Done](t, a, &messages.SendSignal{ID: id, Signal: syscall.SIGCONT})
	assert.ErrorIs(t, ask[*messages.Error](t, a, &messages.ResizeTerminal{ID: id}), procession.ErrNoTerminal)
	a.Send(pool, &messages.Monitor{ID: id})
	ask[*messages.Done](t, a, &messages.CloseStdin{ID: id})
	down := enginetest.As[*messages.ProcessDown](t, a.Next(t))
	assert.Equal(t, id, down.ID)
	assert.True(t, down.Exit.Success(), "%v", down.Exit)
	exit := ask[*messages.Exit](t, a, &messages.WaitExit{ID: id})
	assert.Equal(t, exit, ask[*messages.Exit](t, a, &messages.KillProcess{ID: id}))
	out := ask[*messages.Output](t, a, &messages.GetOutput{ID: id})
	assert.Equal(t, "hello\n", out.Stdout())
	assert.NotNil(t, out.Exit)
	assert.Equal(t, []string{id}, idsOf(ask[*messages.ProcessList](t, a, &messages.ListProcesses{}).Processes))
	assert.Equal(t, id, ask[*messages.Released](t, a, &messages.ReleaseProcess{ID: id}).ID)
	for _, request := range []any{
		&messages.GetOutput{ID: id}, &messages.ReadOutput{ID: id}, &messages.WaitExit{ID: id}, &messages.WaitReady{ID: id},
		&messages.KillProcess{ID: id}, &messages.ReleaseProcess{ID: id}, &messages.GetInfo{ID: id}, &messages.WriteStdin{ID: id},
		&messages.CloseStdin{ID: id}, &messages.ResizeTerminal{ID: id}, &messages.SendSignal{ID: id}, &messages.Monitor{ID: id},
		&messages.Demonitor{ID: id},
	} {
		refusal := ask[*messages.Error](t, a, request)
		assert.Equal(t, messages.CodeNotFound, refusal.Code, "%T of a released process", request)
		assert.Equal(t, id, refusal.ID, "%T of a released process", request)
	}
	assert.ErrorIs(t, ask[*messages.Error](t, a, &messages.StartProcess{}), procession.ErrInvalidSpec)
	pids := []int{}
	for range 3 {
		started := ask[*messages.ProcessStarted](t, a, &messages.StartProcess{Spec: procession.Shell("sleep 1000")})
		pids = append(pids, started.PID)
	}
	assert.Zero(t, ask[*messages.Count](t, a, &messages.KillAll{Selector: messages.Selector{Names: []string{"nobody"}}}).N)
	assert.Equal(t, &messages.ShutdownReport{Terminated: 3}, ask[*messages.ShutdownReport](t, a, &messages.Shutdown{}))
	for _, pid := range pids {
		_, there := testkit.Look(pid)
		assert.False(t, there, "%d is left", pid)
	}
	ask[*actor.DeadLetterResponse](t, a, &messages.ListProcesses{}) // after its shutdown
}

func TestUseByMessageInTheCallersSystem(t *testing.T) {
	t.Parallel()
	system := enginetest.NewSystem()
	e := enginetest.New(t, procession.WithActorSystem(system))
	useByMessage(t, system, e.Pool())
	_, err := e.List(testkit.Within(t))
	assert.ErrorIs(t, err, procession.ErrClosed, "after a shutdown by message")
	a := enginetest.NewAsker(t, system)
	system.Root.Send(a.PID, "the system lives")
	a.Next(t)
}

// parent is an actor of the caller's that has a pool as a child.
type parent struct {
	props *actor.Props
	pool  chan<- *actor.PID
}

func (p *parent) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(*actor.Started); ok {
		p.pool <- ctx.Spawn(p.props)
	}
}

func spawnParent(t *testing.T, system *actor.ActorSystem, opts ...procession.Option) (parentPID, pool *actor.PID) {
	t.Helper()
	props, err := procession.PoolProps(opts...)
	require.NoError(t, err)
	pools := make(chan *actor.PID, 1)
	parentPID = system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &parent{props, pools} }))
	t.Cleanup(func() { system.Root.StopFuture(parentPID).Wait() })
	return parentPID, <-pools
}

// nothingLeft waits until nothing lives that an engine has started.
func nothingLeft(t *testing.T, engine string) {
	t.Helper()
	testkit.Eventually(t, func(c *assert.CollectT) { assert.Empty(c, testkit.Marked(engine), "processes are left") })
}

func TestUseByMessageAsAChildOfTheCallersActor(t *testing.T) {
	t.Parallel()
	system := enginetest.NewSystem()
	_, pool := spawnParent(t, system)
	useByMessage(t, system, pool)
}

func TestTheEndOfTheActorAboveThePoolEndsItsProcesses(t *testing.T) {
	t.Parallel()
	system := enginetest.NewSystem()
	above, pool := spawnParent(t, system, procession.WithID("parent-"+t.Name()))
	a := newAsker(t, system, pool)
	var all []int
	for _, spec := range []procession.Spec{procession.Shell("sleep 1000"), program.Spec("stubborn"), program.Spec("tree", "child", "session")} {
		all = append(all, ask[*messages.ProcessStarted](t, a, &messages.StartProcess{Spec: spec}).PID)
	}
	require.NoError(t, system.Root.StopFuture(above).Wait())
	testkit.Eventually(t, func(c *assert.CollectT) {
		for _, pid := range all {
			_, there := testkit.Look(pid)
			assert.False(c, there, "%d has not been reaped", pid)
		}
	})
	nothingLeft(t, "parent-"+t.Name())
}

// A pool that is stopped while requests wait in its mailbox starts nothing more,
// and does stop.
func TestAPoolThatIsStoppedStartsNothingMore(t *testing.T) {
	t.Parallel()
	system := enginetest.NewSystem()
	above, pool := spawnParent(t, system, procession.WithID("stopped-"+t.Name()))
	a := newAsker(t, system, pool)
	for range 5 {
		ask[*messages.ProcessStarted](t, a, &messages.StartProcess{Spec: procession.Shell("sleep 1000")})
	}
	for range 200 {
		system.Root.Send(pool, &messages.StartProcess{Spec: procession.Shell("sleep 1000")})
		system.Root.Send(pool, &messages.ListProcesses{})
		system.Root.Send(pool, &messages.KillAll{})
	}
	stopped := system.Root.StopFuture(above)
	done := make(chan struct{})
	go func() { stopped.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(testkit.Patience):
		assert.Fail(t, "it does not stop")
	}
	nothingLeft(t, "stopped-"+t.Name())
}

func TestCancelTakesBackWhatIsAsked(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	a := newAsker(t, e.System(), e.Pool())
	id := enginetest.Start(t, e, procession.Shell("sleep 1000"))
	a.Send(a.pool, &messages.WaitExit{ID: id})
	a.Send(a.pool, &messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Wait: -1}})
	a.Send(a.pool, &messages.Cancel{ID: id})
	ask[*messages.Info](t, a, &messages.GetInfo{ID: id})
	enginetest.Kill(t, e, id)
	assert.Equal(t, procession.Exited, ask[*messages.Info](t, a, &messages.GetInfo{ID: id}).State)
}

func TestAMessageThatIsNoPointerIsRefused(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	a := newAsker(t, e.System(), e.Pool())
	id := enginetest.Start(t, e, procession.Shell("sleep 1000"))
	for _, request := range []any{
		messages.GetInfo{ID: id}, messages.Shutdown{}, "hello", 42,
		(*messages.GetInfo)(nil), (*messages.StartProcess)(nil), (*messages.Shutdown)(nil),
	} {
		assert.Equal(t, messages.CodeInvalidRequest, ask[*messages.Error](t, a, request).Code, "%T", request)
	}
	assert.Equal(t, procession.Running, enginetest.Info(t, e, id).State, "a request that was refused has done something")
}

func TestSelectionByMessage(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	asker := newAsker(t, e.System(), e.Pool())
	start := func(name string) *messages.ProcessStarted {
		spec := procession.Shell("setsid sleep 1000 & sleep 1000")
		spec.Name = name
		return ask[*messages.ProcessStarted](t, asker, &messages.StartProcess{Spec: spec})
	}
	one, two, other := start("a"), start("a"), start("b")
	a := messages.Selector{Names: []string{"a"}}
	list := ask[*messages.ProcessList](t, asker, &messages.ListProcesses{Selector: a})
	assert.Equal(t, []string{one.ID, two.ID}, idsOf(list.Processes))
	assert.Equal(t, 2, ask[*messages.Count](t, asker, &messages.KillAll{Selector: a}).N)
	assert.False(t, testkit.Alive(one.PID), "KillAll was answered before the first of its processes was dead")
	assert.False(t, testkit.Alive(two.PID), "KillAll was answered before the second of its processes was dead")
	assert.True(t, testkit.Alive(other.PID), "KillAll has killed another")
	assert.Zero(t, ask[*messages.Count](t, asker, &messages.KillAll{Selector: a}).N, "killed again")
	assert.Equal(t, 2, ask[*messages.Count](t, asker, &messages.ReleaseAll{Selector: a}).N)
	list = ask[*messages.ProcessList](t, asker, &messages.ListProcesses{})
	assert.Equal(t, []string{other.ID}, idsOf(list.Processes))
}

// askedUntilTheEnd has several goroutines ask for the Info of processes until
// they are told that there is no pool any more. What they get meanwhile is an
// answer, each time. Once they are at work, end is called.
func askedUntilTheEnd(t *testing.T, system *actor.ActorSystem, pool *actor.PID, end func()) {
	t.Helper()
	a := newAsker(t, system, pool)
	var ids []string
	for range 3 {
		ids = append(ids, ask[*messages.ProcessStarted](t, a, &messages.StartProcess{Spec: procession.Shell("sleep 1000")}).ID)
	}
	const askers, inFlight = 6, 20
	var group, working sync.WaitGroup
	working.Add(askers)
	for n := range askers {
		group.Go(func() {
			for round, gone := 0, false; !gone; round++ {
				var asked []*actor.Future
				for i := range inFlight {
					asked = append(asked, system.Root.RequestFuture(pool, &messages.GetInfo{ID: ids[(n+i)%len(ids)]}, testkit.Patience))
				}
				for _, future := range asked {
					answer, err := future.Result()
					switch answer := answer.(type) {
					case *messages.Info:
					case *messages.Error:
						assert.Contains(t, []messages.Code{messages.CodeClosed, messages.CodeNotFound}, answer.Code, "%v", answer)
					default:
						gone = true
						assert.ErrorIs(t, err, actor.ErrDeadLetter, "%T %v", answer, answer)
					}
				}
				if round == 0 {
					working.Done()
				}
			}
		})
	}
	working.Wait()
	end()
	group.Wait()
}

func TestRequestsAreAnsweredDuringAShutdown(t *testing.T) {
	t.Parallel()
	for range 5 {
		system := enginetest.NewSystem()
		e := enginetest.New(t, procession.WithActorSystem(system))
		a := newAsker(t, system, e.Pool())
		askedUntilTheEnd(t, system, e.Pool(), func() {
			assert.Equal(t, &messages.ShutdownReport{Terminated: 3}, ask[*messages.ShutdownReport](t, a, &messages.Shutdown{}))
		})
	}
}

var stoppedPools atomic.Int64

func TestRequestsAreAnsweredWhileThePoolStopsWithItsParent(t *testing.T) {
	t.Parallel()
	for range 5 {
		system := enginetest.NewSystem()
		name := fmt.Sprintf("asked-%d-%d", os.Getpid(), stoppedPools.Add(1))
		above, pool := spawnParent(t, system, procession.WithID(name))
		askedUntilTheEnd(t, system, pool, func() { system.Root.Stop(above) })
		nothingLeft(t, name)
	}
}

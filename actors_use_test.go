//go:build linux

package procession_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

func newSystem() *actor.ActorSystem {
	return actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger {
		return slog.New(slog.NewTextHandler(io.Discard, nil))
	}))
}

// mailbox is an actor that hands on what it gets.
type mailbox struct {
	system *actor.ActorSystem
	pid    *actor.PID
	got    chan any
}

func newMailbox(t testing.TB, system *actor.ActorSystem) *mailbox {
	m := &mailbox{system: system, got: make(chan any, 100)}
	m.pid = system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case actor.SystemMessage, actor.AutoReceiveMessage, *actor.Started, *actor.Stopping, *actor.Stopped:
		default:
			m.got <- ctx.Message()
		}
	}))
	t.Cleanup(func() { system.Root.StopFuture(m.pid).Wait() })
	return m
}

// ask sends a request from the mailbox, and answers what comes next.
func (m *mailbox) ask(t testing.TB, to *actor.PID, request any) any {
	t.Helper()
	m.system.Root.RequestWithCustomSender(to, request, m.pid)
	return m.next(t)
}

func (m *mailbox) next(t testing.TB) any {
	t.Helper()
	select {
	case answer := <-m.got:
		return answer
	case <-time.After(patience):
		t.Fatal("no answer")
		return nil
	}
}

func askFor[T any](t testing.TB, m *mailbox, to *actor.PID, request any) T {
	t.Helper()
	answer := m.ask(t, to, request)
	typed, ok := answer.(T)
	if !ok {
		t.Fatalf("%T is answered with %T: %v", request, answer, answer)
	}
	return typed
}

// useByMessage does by message all that an Engine can, ending with a shutdown.
func useByMessage(t *testing.T, system *actor.ActorSystem, pool *actor.PID) {
	m := newMailbox(t, system)
	started := askFor[*messages.ProcessStarted](t, m, pool, &messages.StartProcess{
		Spec: procession.Spec{Name: "cat", Command: "cat", Stdin: true, Labels: map[string]string{"a": "b"}}})
	id := started.ID
	if !alive(started.PID) || started.Incarnation != 0 {
		t.Errorf("%+v", started)
	}
	if done := askFor[*messages.Done](t, m, pool, &messages.WriteStdin{ID: id, Data: []byte("hello\n")}); done.Written != 6 {
		t.Errorf("%+v", done)
	}
	chunk := askFor[*messages.Chunk](t, m, pool, &messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Wait: -1}})
	if string(bytesOf(chunk.Segments)) != "hello\n" || chunk.EOF {
		t.Errorf("%+v", chunk)
	}
	if i := askFor[*messages.Info](t, m, pool, &messages.GetInfo{ID: id}); i.Name != "cat" || i.PID != started.PID {
		t.Errorf("%+v", i)
	}
	askFor[*messages.Done](t, m, pool, &messages.WaitReady{ID: id})
	askFor[*messages.Done](t, m, pool, &messages.SendSignal{ID: id, Signal: syscall.SIGCONT})
	if refusal := askFor[*messages.Error](t, m, pool, &messages.ResizeTerminal{ID: id}); !errors.Is(refusal, procession.ErrNoTerminal) {
		t.Errorf("%v", refusal)
	}
	system.Root.RequestWithCustomSender(pool, &messages.Monitor{ID: id}, m.pid)
	askFor[*messages.Done](t, m, pool, &messages.CloseStdin{ID: id})
	if down, ok := m.next(t).(*messages.ProcessDown); !ok || down.ID != id || !down.Exit.Success() {
		t.Errorf("%+v", down)
	}
	exit := askFor[*messages.Exit](t, m, pool, &messages.WaitExit{ID: id})
	if again := askFor[*messages.Exit](t, m, pool, &messages.KillProcess{ID: id}); *again != *exit {
		t.Errorf("%v, %v", exit, again)
	}
	if out := askFor[*messages.Output](t, m, pool, &messages.GetOutput{ID: id}); out.Stdout() != "hello\n" || out.Exit == nil {
		t.Errorf("%+v", out)
	}
	if list := askFor[*messages.ProcessList](t, m, pool, &messages.ListProcesses{}); len(list.Processes) != 1 || list.Processes[0].ID != id {
		t.Errorf("%+v", list)
	}
	if released := askFor[*messages.Released](t, m, pool, &messages.ReleaseProcess{ID: id}); released.ID != id {
		t.Errorf("%+v", released)
	}
	for _, request := range []any{
		&messages.GetOutput{ID: id}, &messages.ReadOutput{ID: id}, &messages.WaitExit{ID: id}, &messages.WaitReady{ID: id},
		&messages.KillProcess{ID: id}, &messages.ReleaseProcess{ID: id}, &messages.GetInfo{ID: id}, &messages.WriteStdin{ID: id},
		&messages.CloseStdin{ID: id}, &messages.ResizeTerminal{ID: id}, &messages.SendSignal{ID: id}, &messages.Monitor{ID: id},
		&messages.Demonitor{ID: id},
	} {
		if refusal := askFor[*messages.Error](t, m, pool, request); refusal.Code != messages.CodeNotFound || refusal.ID != id {
			t.Errorf("%T of a released process: %+v", request, refusal)
		}
	}
	if refusal := askFor[*messages.Error](t, m, pool, &messages.StartProcess{}); !errors.Is(refusal, procession.ErrInvalidSpec) {
		t.Errorf("%v", refusal)
	}
	pids := []int{}
	for range 3 {
		started := askFor[*messages.ProcessStarted](t, m, pool, &messages.StartProcess{Spec: procession.Shell("sleep 1000")})
		pids = append(pids, started.PID)
	}
	if count := askFor[*messages.Count](t, m, pool, &messages.KillAll{Selector: messages.Selector{Names: []string{"nobody"}}}); count.N != 0 {
		t.Errorf("%+v", count)
	}
	if report := askFor[*messages.ShutdownReport](t, m, pool, &messages.Shutdown{}); report.Terminated != 3 || report.Killed != 0 {
		t.Errorf("%+v", report)
	}
	for _, pid := range pids {
		if processState(pid) != 0 {
			t.Errorf("%d is left", pid)
		}
	}
	if _, ok := m.ask(t, pool, &messages.ListProcesses{}).(*actor.DeadLetterResponse); !ok {
		t.Error("the pool answers after its shutdown")
	}
}

func TestUseByMessageInTheCallersSystem(t *testing.T) {
	t.Parallel()
	system := newSystem()
	e := newEngine(t, procession.WithActorSystem(system))
	useByMessage(t, system, e.Pool())
	if _, err := e.List(within(t)); !isClosed(err) {
		t.Errorf("after a shutdown by message: %v", err)
	}
	m := newMailbox(t, system)
	m.system.Root.Send(m.pid, "the system lives")
	m.next(t)
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
	props := must(procession.PoolProps(opts...))(t)
	pools := make(chan *actor.PID, 1)
	parentPID = system.Root.Spawn(actor.PropsFromProducer(func() actor.Actor { return &parent{props, pools} }))
	t.Cleanup(func() { system.Root.StopFuture(parentPID).Wait() })
	return parentPID, <-pools
}

func TestUseByMessageAsAChildOfTheCallersActor(t *testing.T) {
	t.Parallel()
	system := newSystem()
	_, pool := spawnParent(t, system)
	useByMessage(t, system, pool)
}

func TestTheEndOfTheActorAboveThePoolEndsItsProcesses(t *testing.T) {
	t.Parallel()
	system := newSystem()
	above, pool := spawnParent(t, system, procession.WithID("parent-"+t.Name()))
	m := newMailbox(t, system)
	var all []int
	for _, spec := range []procession.Spec{procession.Shell("sleep 1000"), helper("stubborn"), helper("tree", "child", "session")} {
		started := askFor[*messages.ProcessStarted](t, m, pool, &messages.StartProcess{Spec: spec})
		all = append(all, started.PID)
	}
	if err := system.Root.StopFuture(above).Wait(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range all {
		eventually(t, fmt.Sprintf("%d is reaped", pid), func() bool { return processState(pid) == 0 })
	}
	eventually(t, "nothing of it lives", func() bool { return len(marked("parent-"+t.Name())) == 0 })
}

// A pool that is stopped while requests wait in its mailbox starts nothing more,
// and does stop.
func TestAPoolThatIsStoppedStartsNothingMore(t *testing.T) {
	t.Parallel()
	system := newSystem()
	above, pool := spawnParent(t, system, procession.WithID("stopped-"+t.Name()))
	m := newMailbox(t, system)
	for range 5 {
		askFor[*messages.ProcessStarted](t, m, pool, &messages.StartProcess{Spec: procession.Shell("sleep 1000")})
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
	case <-time.After(patience):
		t.Error("it does not stop")
	}
	eventually(t, "nothing of it lives", func() bool { return len(marked("stopped-"+t.Name())) == 0 })
}

func TestAProcessEndsWithItsOwner(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	owner, other := newMailbox(t, e.System()), newMailbox(t, e.System())
	owned := askFor[*messages.ProcessStarted](t, owner, e.Pool(), &messages.StartProcess{Spec: procession.Shell("sleep 1000"), Owner: owner.pid})
	free := askFor[*messages.ProcessStarted](t, other, e.Pool(), &messages.StartProcess{Spec: procession.Shell("sleep 1000"), Owner: other.pid})
	e.System().Root.Stop(owner.pid)
	eventually(t, "it is forgotten", func() bool {
		_, err := e.Info(within(t), owned.ID)
		return errors.Is(err, procession.ErrNotFound)
	})
	if processState(owned.PID) != 0 || !alive(free.PID) {
		t.Errorf("owned: %q, of another owner: %q", processState(owned.PID), processState(free.PID))
	}
}

func TestCancelTakesBackWhatIsAsked(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	m := newMailbox(t, e.System())
	id := start(t, e, procession.Shell("sleep 1000"))
	root := e.System().Root
	root.RequestWithCustomSender(e.Pool(), &messages.WaitExit{ID: id}, m.pid)
	root.RequestWithCustomSender(e.Pool(), &messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Wait: -1}}, m.pid)
	root.RequestWithCustomSender(e.Pool(), &messages.Cancel{ID: id}, m.pid)
	askFor[*messages.Info](t, m, e.Pool(), &messages.GetInfo{ID: id})
	must(e.Kill(within(t), id))(t)
	if i := askFor[*messages.Info](t, m, e.Pool(), &messages.GetInfo{ID: id}); i.State != procession.Exited {
		t.Errorf("%+v", i)
	}
}

func TestAMessageThatIsNoPointerIsRefused(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	m := newMailbox(t, e.System())
	id := start(t, e, procession.Shell("sleep 1000"))
	for _, request := range []any{
		messages.GetInfo{ID: id}, messages.Shutdown{}, "hello", 42,
		(*messages.GetInfo)(nil), (*messages.StartProcess)(nil), (*messages.Shutdown)(nil),
	} {
		if refusal := askFor[*messages.Error](t, m, e.Pool(), request); refusal.Code != messages.CodeInvalidRequest {
			t.Errorf("%T: %+v", request, refusal)
		}
	}
	if i := info(t, e, id); i.State != procession.Running {
		t.Errorf("a request that was refused has done something: %+v", i)
	}
}

func TestSelectionByMessage(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	m := newMailbox(t, e.System())
	start := func(name string) *messages.ProcessStarted {
		spec := procession.Shell("setsid sleep 1000 & sleep 1000")
		spec.Name = name
		return askFor[*messages.ProcessStarted](t, m, e.Pool(), &messages.StartProcess{Spec: spec})
	}
	one, two, other := start("a"), start("a"), start("b")
	a := messages.Selector{Names: []string{"a"}}
	if list := askFor[*messages.ProcessList](t, m, e.Pool(), &messages.ListProcesses{Selector: a}); len(list.Processes) != 2 ||
		list.Processes[0].ID != one.ID || list.Processes[1].ID != two.ID {
		t.Errorf("%+v", list)
	}
	if count := askFor[*messages.Count](t, m, e.Pool(), &messages.KillAll{Selector: a}); count.N != 2 {
		t.Errorf("killed %d", count.N)
	}
	if alive(one.PID) || alive(two.PID) || !alive(other.PID) {
		t.Error("KillAll was answered before its processes were dead, or has killed another")
	}
	if count := askFor[*messages.Count](t, m, e.Pool(), &messages.KillAll{Selector: a}); count.N != 0 {
		t.Errorf("killed %d again", count.N)
	}
	if count := askFor[*messages.Count](t, m, e.Pool(), &messages.ReleaseAll{Selector: a}); count.N != 2 {
		t.Errorf("released %d", count.N)
	}
	if list := askFor[*messages.ProcessList](t, m, e.Pool(), &messages.ListProcesses{}); len(list.Processes) != 1 || list.Processes[0].ID != other.ID {
		t.Errorf("%+v", list)
	}
}

func TestEventsArePublishedInOrder(t *testing.T) {
	t.Parallel()
	system := newSystem()
	e := newEngine(t, procession.WithActorSystem(system))
	events := make(chan any, 100)
	sub := system.EventStream.Subscribe(func(event any) {
		if event, ok := event.(messages.Event); ok {
			events <- event
		}
	})
	defer system.EventStream.Unsubscribe(sub)
	id := start(t, e, procession.Shell("exit 3"))
	must(e.Wait(within(t), id))(t)
	if err := e.Release(within(t), id); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range 4 {
		select {
		case event := <-events:
			got = append(got, fmt.Sprintf("%T", event))
		case <-within(t).Done():
			t.Fatalf("only %v", got)
		}
	}
	if want := "[*messages.ProcessStarted *messages.ProcessReady *messages.ProcessExited *messages.ProcessReleased]"; fmt.Sprint(got) != want {
		t.Errorf("%v", got)
	}
}

// askedUntilTheEnd has several goroutines ask for the Info of processes until
// they are told that there is no pool any more. What they get meanwhile is an
// answer, each time. Once they are at work, end is called.
func askedUntilTheEnd(t *testing.T, system *actor.ActorSystem, pool *actor.PID, end func()) {
	t.Helper()
	m := newMailbox(t, system)
	var ids []string
	for range 3 {
		ids = append(ids, askFor[*messages.ProcessStarted](t, m, pool, &messages.StartProcess{Spec: procession.Shell("sleep 1000")}).ID)
	}
	const askers, inFlight = 6, 20
	var group, working sync.WaitGroup
	working.Add(askers)
	for n := range askers {
		group.Go(func() {
			for round, gone := 0, false; !gone; round++ {
				var asked []*actor.Future
				for i := range inFlight {
					asked = append(asked, system.Root.RequestFuture(pool, &messages.GetInfo{ID: ids[(n+i)%len(ids)]}, patience))
				}
				for _, future := range asked {
					answer, err := future.Result()
					switch answer := answer.(type) {
					case *messages.Info:
					case *messages.Error:
						if !errors.Is(answer, procession.ErrClosed) && !errors.Is(answer, procession.ErrNotFound) {
							t.Errorf("answered with %+v", answer)
						}
					default:
						if gone = true; !errors.Is(err, actor.ErrDeadLetter) {
							t.Errorf("%T %v, %v", answer, answer, err)
						}
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
		system := newSystem()
		e := newEngine(t, procession.WithActorSystem(system))
		m := newMailbox(t, system)
		askedUntilTheEnd(t, system, e.Pool(), func() {
			if report := askFor[*messages.ShutdownReport](t, m, e.Pool(), &messages.Shutdown{}); report.Terminated != 3 || report.Killed != 0 {
				t.Errorf("%+v", report)
			}
		})
	}
}

func TestRequestsAreAnsweredWhileThePoolStopsWithItsParent(t *testing.T) {
	t.Parallel()
	for i := range 5 {
		system := newSystem()
		name := fmt.Sprintf("asked-%s-%d-%d", t.Name(), i, engines.Add(1))
		above, pool := spawnParent(t, system, procession.WithID(name))
		askedUntilTheEnd(t, system, pool, func() { system.Root.Stop(above) })
		eventually(t, "nothing of it lives", func() bool { return len(marked(name)) == 0 })
	}
}

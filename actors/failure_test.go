package actors

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"go.uber.org/goleak"

	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/program"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

func TestMain(m *testing.M) {
	program.Main()
	// The actor system's throttle of dead letters ends by itself after a second.
	testkit.Main(m, goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1"))
}

// A process that leaves the group, one that stays in it, and one that does not
// listen.
const family = `trap '' TERM; setsid sleep 1000 & sleep 1000 & echo ready; wait; wait; sleep 1000`

func TestAPanicEndsTheTreeAndKeepsTheLog(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		spec  messages.Spec
		begin func(r *rig, id string) *actor.Future // brings it into the state
		state messages.State
		cause messages.Cause
	}{
		"running": {messages.Shell(family), func(r *rig, id string) *actor.Future {
			return r.later(&messages.WaitExit{ID: id})
		}, messages.Running, messages.CauseCrashed},
		"stopping": {messages.Shell(family), func(r *rig, id string) *actor.Future {
			return r.later(&messages.KillProcess{ID: id})
		}, messages.Stopping, messages.CauseCrashed},
		"draining": {messages.Shell("(trap '' TERM; echo ready; while :; do echo more; sleep 0.02; done) & exec sleep 0.1"), func(r *rig, id string) *actor.Future {
			f := r.later(&messages.WaitExit{ID: id})
			r.eventually("its leader has exited", func() bool { return r.info(id).State == messages.Stopping })
			return f
		}, messages.Stopping, messages.CauseExited},
		"clearing": {messages.Shell("(trap '' TERM; echo ready; exec sleep 1000 >/dev/null 2>&1) & exec sleep 0.1"), func(r *rig, id string) *actor.Future {
			f := r.later(&messages.WaitExit{ID: id})
			r.result(f)
			return f
		}, messages.Exited, messages.CauseExited},
		"exited": {messages.Shell("echo ready; exec sleep 0.1"), func(r *rig, id string) *actor.Future {
			f := r.later(&messages.KillProcess{ID: id})
			r.result(f)
			return f
		}, messages.Exited, messages.CauseKilled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			test.spec.Grace = testPatience
			if name == "draining" || name == "exited" {
				test.spec.Grace = time.Second
			}
			id := r.start(test.spec)
			r.awaitText(id, "ready")
			waiting := test.begin(r, id)
			if test.state != messages.Exited {
				r.eventually("it is "+test.state.String(), func() bool { return r.info(id).State == test.state })
			}
			r.panics(id)
			exit, ok := r.result(waiting).(*messages.Exit)
			if !ok || exit.Cause != test.cause || test.cause == messages.CauseCrashed && exit.Signal != "SIGKILL" {
				t.Errorf("who waited is told %+v", exit)
			}
			if again := ask[*messages.Exit](r, &messages.KillProcess{ID: id}); *again != *exit {
				t.Errorf("then a Kill is told %+v", again)
			}
			if left := r.marked(); len(left) > 0 {
				t.Errorf("of the tree, %v are left", left)
			}
			if out := ask[*messages.Output](r, &messages.GetOutput{ID: id}); !strings.HasPrefix(out.Stdout(), "ready\n") || out.Exit == nil {
				t.Errorf("the log holds %q, %+v", out.Combined(), out.Exit)
			}
			if i := r.info(id); i.State != messages.Exited || i.Restarts != 0 {
				t.Errorf("%+v", i)
			}
			ask[*messages.Released](r, &messages.ReleaseProcess{ID: id})
		})
	}
}

func TestAPanicWhileItIsStarted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 20 {
		// The request and the panic race with the fork; whoever wins, the starter
		// is answered, and the process ends.
		f := r.later(&messages.StartProcess{Spec: messages.Shell(family)})
		var id string
		r.eventually("it is in List", func() bool {
			for _, i := range ask[*messages.ProcessList](r, &messages.ListProcesses{}).Processes {
				id = i.ID
			}
			return id != ""
		})
		r.panics(id)
		if started, ok := r.result(f).(*messages.ProcessStarted); !ok || started.ID != id {
			t.Fatalf("the starter is told %+v", started)
		}
		if exit := ask[*messages.Exit](r, &messages.WaitExit{ID: id}); exit.Cause != messages.CauseCrashed {
			t.Errorf("%+v", exit)
		}
		ask[*messages.Released](r, &messages.ReleaseProcess{ID: id})
		if left := r.marked(); len(left) > 0 {
			t.Errorf("%v are left", left)
		}
	}
}

func TestAfterAPanicThePolicyApplies(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := messages.Shell("echo ready $$; sleep 1000")
	spec.Restart = supervisor.Policy{When: supervisor.OnFailure, MinBackoff: 1, MaxBackoff: time.Millisecond}
	id := r.start(spec)
	first := r.info(id).PID
	r.awaitText(id, "ready")
	r.panics(id)
	r.eventually("it runs again", func() bool { i := r.info(id); return i.State == messages.Running && i.PID != first })
	i := r.info(id)
	if i.Restarts != 1 || len(i.Incarnations) != 1 || i.Incarnations[0].Exit.Cause != messages.CauseCrashed {
		t.Errorf("%+v", i)
	}
	r.awaitText(id, fmt.Sprintf("ready %d\n", i.PID))
	ask[*messages.Exit](r, &messages.KillProcess{ID: id})
}

func TestAPanicWhileItBacksOff(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := messages.Shell("echo ready; exit 1")
	spec.Restart = supervisor.Policy{When: supervisor.OnFailure, MaxRestarts: 3, MinBackoff: 50 * time.Millisecond, MaxBackoff: 50 * time.Millisecond}
	id := r.start(spec)
	wait := r.later(&messages.WaitExit{ID: id})
	backingOff := 0
	for end := time.Now().Add(testPatience); time.Now().Before(end); {
		i := r.info(id)
		if i.State == messages.Exited {
			break
		}
		if i.State == messages.BackingOff && backingOff < 3 {
			backingOff++
			r.panics(id)
		}
	}
	if exit, ok := r.result(wait).(*messages.Exit); !ok || exit.Code != 1 {
		t.Errorf("%+v", exit)
	}
	if i := r.info(id); i.Restarts != 3 || backingOff == 0 {
		t.Errorf("%+v, after %d panics", i, backingOff)
	}
}

// In whatever state the actor panics, what comes next is the policy's to say.
func TestAfterAPanicInEachStateThePolicyApplies(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		line  string
		reach func(r *rig, id string) // brings it into the state
		again bool
	}{
		"running": {`sleep 1000`, func(*rig, string) {}, true},
		"stopping by its timeout": {`trap '' TERM; while :; do sleep 0.1; done`, func(r *rig, id string) {
			r.eventually("it is stopping", func() bool { return r.info(id).State == messages.Stopping })
		}, true},
		"stopping by a Kill": {`trap '' TERM; while :; do sleep 0.1; done`, func(r *rig, id string) {
			r.later(&messages.KillProcess{ID: id})
			r.eventually("it is stopping", func() bool { return r.info(id).State == messages.Stopping })
		}, false},
		"draining": {`(trap '' TERM; while :; do echo more; sleep 0.02; done) & exit 1`, func(r *rig, id string) {
			r.eventually("its leader has exited", func() bool { return r.info(id).State == messages.Stopping })
		}, true},
		"clearing": {`(trap '' TERM; exec sleep 1000 >/dev/null 2>&1) & sleep 0.1; exit 1`, func(r *rig, id string) {
			r.eventually("its output is complete", func() bool { return r.info(id).State == messages.BackingOff })
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			// The second incarnation only stays.
			file := filepath.Join(t.TempDir(), "again")
			spec := messages.Shell(`if [ -e "$AGAIN" ]; then echo again; exec sleep 1000; fi; : >"$AGAIN"; echo ready; ` + test.line)
			spec.Env = map[string]string{"AGAIN": file}
			spec.Grace = time.Second
			spec.Restart = supervisor.Policy{When: supervisor.Always, MaxRestarts: 1, MinBackoff: 1, MaxBackoff: time.Millisecond}
			if strings.Contains(name, "timeout") {
				spec.Timeout = 300 * time.Millisecond
			}
			id := r.start(spec)
			r.awaitText(id, "ready")
			test.reach(r, id)
			r.panics(id)
			if test.again {
				r.awaitText(id, "again")
				if i := r.info(id); i.Restarts != 1 || len(i.Incarnations) == 0 {
					t.Errorf("%+v", i)
				}
				ask[*messages.Exit](r, &messages.KillProcess{ID: id})
				return
			}
			ask[*messages.Exit](r, &messages.WaitExit{ID: id})
			if i := r.info(id); i.Restarts != 0 {
				t.Errorf("%+v", i)
			}
		})
	}
}

func TestAPanicAnswersTheOneWhoseMessageItWas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start(messages.Shell(family))
	child := actor.NewPID(r.pool.Address, r.pool.Id+"/"+id)
	answer, err := r.system.Root.RequestFuture(child, &written{}, testPatience).Result()
	if refusal, ok := answer.(*messages.Error); !ok || refusal.Code != messages.CodeFailed || refusal.ID != id {
		t.Errorf("%+v, %v", answer, err)
	}
	if exit := ask[*messages.Exit](r, &messages.WaitExit{ID: id}); exit.Cause != messages.CauseCrashed {
		t.Errorf("%+v", exit)
	}
}

func TestAnActorThatFailsTooOftenLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id, other := r.start(messages.Shell(family)), r.start(messages.Shell("sleep 1000"))
	r.awaitText(id, "ready")
	for range supervisor.MaxActorRestarts + 2 {
		r.panics(id)
	}
	r.eventually("it is forgotten", func() bool {
		// What reaches the actor while it stops is not answered.
		answer, _ := r.system.Root.RequestFuture(r.pool, &messages.GetInfo{ID: id}, 100*time.Millisecond).Result()
		refusal, ok := answer.(*messages.Error)
		return ok && refusal.Code == messages.CodeNotFound
	})
	if list := ask[*messages.ProcessList](r, &messages.ListProcesses{}).Processes; len(list) != 1 || list[0].ID != other {
		t.Errorf("%+v", list)
	}
	r.eventually("only the other one is left", func() bool { return len(r.marked()) == 1+1 || len(r.marked()) == 1 })
	if i := r.info(other); i.State != messages.Running {
		t.Errorf("%+v", i)
	}
}

func TestAPoolThatPanicsLeavesNobodyWaitingAndNothingRunning(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start(messages.Shell(family))
	r.awaitText(id, "ready")
	r.start(messages.Shell("sleep 1000"))
	waiting := []*actor.Future{
		r.later(&messages.WaitExit{ID: id}),
		r.later(&messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Cursor: 6, Wait: -1}}),
		r.later(&messages.KillProcess{ID: id}),
	}
	ask[*messages.ProcessList](r, &messages.ListProcesses{}) // they have arrived
	if refusal := ask[*messages.Error](r, (*messages.GetInfo)(nil)); refusal.Code != messages.CodeInvalidRequest {
		t.Errorf("a request that is nil: %+v", refusal)
	}
	r.system.Root.Send(r.pool, &fails{})
	for _, f := range waiting {
		if refusal, ok := r.result(f).(*messages.Error); !ok || refusal.Code != messages.CodeClosed {
			t.Errorf("who waited is told %+v", refusal)
		}
	}
	r.eventually("nothing is left", func() bool { return len(r.marked()) == 0 })
	// The pool itself goes on, empty.
	if list := ask[*messages.ProcessList](r, &messages.ListProcesses{}); len(list.Processes) != 0 {
		t.Errorf("%+v", list)
	}
	ask[*messages.Exit](r, &messages.KillProcess{ID: r.start(messages.Shell("sleep 1000"))})
}

// askWhile has an actor ask one question after the other while something happens to
// the pool, and waits until all are answered.
func askWhile(t *testing.T, happens func(r *rig)) {
	t.Helper()
	r := newRig(t)
	id := r.start(messages.Shell("sleep 1000"))
	answers := make(chan any, 20_000)
	asker := r.system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch ctx.Message().(type) {
		case *messages.Info, *messages.Error, *actor.DeadLetterResponse:
			answers <- ctx.Message()
		}
	}))
	defer r.system.Root.Stop(asker)
	stop, asked := make(chan struct{}), make(chan int)
	go func() {
		n := 0
		for ; n < cap(answers); n++ {
			select {
			case <-stop:
				asked <- n
				return
			default:
				r.system.Root.RequestWithCustomSender(r.pool, &messages.GetInfo{ID: id}, asker)
			}
		}
		<-stop
		asked <- n
	}()
	r.eventually("the first is answered", func() bool { return len(answers) > 0 })
	happens(r)
	close(stop)
	n, late := <-asked, time.After(testPatience)
	for i := range n {
		select {
		case answer := <-answers:
			if refusal, ok := answer.(*messages.Error); ok && refusal.Code != messages.CodeClosed && refusal.Code != messages.CodeNotFound {
				t.Errorf("%+v", refusal)
			}
		case <-late:
			t.Fatalf("%d of %d requests are answered", i, n)
		}
	}
}

// Requests that are under way to a pool that panics, or to the actors that end with
// it, are all answered; also when it has panicked too often, and is stopped.
func TestAPoolThatPanicsAnswersEveryRequest(t *testing.T) {
	t.Parallel()
	for name, panics := range map[string]int{"once": 1, "too often": supervisor.MaxActorRestarts + 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 5 {
				askWhile(t, func(r *rig) {
					for range panics {
						r.system.Root.Send(r.pool, &fails{})
					}
					r.eventually("the pool has failed", func() bool { return r.failed.Load() > 0 })
				})
			}
		})
	}
}

func TestAPoolThatPanicsDuringStartsLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 5 {
		for range 20 {
			r.system.Root.Send(r.pool, &messages.StartProcess{Spec: messages.Shell("sleep 1000")})
		}
		r.system.Root.Send(r.pool, &fails{})
	}
	ask[*messages.ProcessList](r, &messages.ListProcesses{})
	r.eventually("nothing is left", func() bool { return len(r.marked()) == 0 })
}

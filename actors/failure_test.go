package actors

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
			r.awaitState(id, messages.Stopping) // its leader has exited
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
			test.spec.Grace = testkit.Patience
			if name == "draining" || name == "exited" {
				test.spec.Grace = time.Second
			}
			id := r.start(test.spec)
			r.awaitText(id, "ready")
			waiting := test.begin(r, id)
			if test.state != messages.Exited {
				r.awaitState(id, test.state)
			}
			r.panics(id)
			exit := is[*messages.Exit](r, r.result(waiting))
			assert.Equal(t, test.cause, exit.Cause, "who waited is told %+v", exit)
			if test.cause == messages.CauseCrashed {
				assert.Equal(t, "SIGKILL", exit.Signal)
			}
			assert.Equal(t, exit, ask[*messages.Exit](r, &messages.KillProcess{ID: id}), "what a Kill is told then")
			assert.Empty(t, testkit.Marked(r.engine), "of the tree")
			out := ask[*messages.Output](r, &messages.GetOutput{ID: id})
			assert.True(t, strings.HasPrefix(out.Stdout(), "ready\n"), "the log holds %q", out.Combined())
			assert.NotNil(t, out.Exit)
			i := r.info(id)
			assert.Equal(t, messages.Exited, i.State)
			assert.Zero(t, i.Restarts)
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
		for begun := time.Now(); id == "" && time.Since(begun) < testkit.Patience; {
			for _, i := range ask[*messages.ProcessList](r, &messages.ListProcesses{}).Processes {
				id = i.ID
			}
		}
		r.panics(id)
		require.Equal(t, id, is[*messages.ProcessStarted](r, r.result(f)).ID, "what the starter is told")
		assert.Equal(t, messages.CauseCrashed, ask[*messages.Exit](r, &messages.WaitExit{ID: id}).Cause)
		ask[*messages.Released](r, &messages.ReleaseProcess{ID: id})
		assert.Empty(t, testkit.Marked(r.engine))
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
	r.eventually(func(r *rig) { // it runs again
		i := r.info(id)
		assert.Equal(r.t, messages.Running, i.State)
		assert.NotEqual(r.t, first, i.PID)
	})
	i := r.info(id)
	assert.Equal(t, 1, i.Restarts)
	require.Len(t, i.Incarnations, 1)
	assert.Equal(t, messages.CauseCrashed, i.Incarnations[0].Exit.Cause)
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
	for end := time.Now().Add(testkit.Patience); time.Now().Before(end); {
		i := r.info(id)
		if i.State == messages.Exited {
			break
		}
		if i.State == messages.BackingOff && backingOff < 3 {
			backingOff++
			r.panics(id)
		}
	}
	assert.Equal(t, 1, is[*messages.Exit](r, r.result(wait)).Code)
	assert.Equal(t, 3, r.info(id).Restarts)
	assert.NotZero(t, backingOff, "panics while it backed off")
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
			r.awaitState(id, messages.Stopping)
		}, true},
		"stopping by a Kill": {`trap '' TERM; while :; do sleep 0.1; done`, func(r *rig, id string) {
			r.later(&messages.KillProcess{ID: id})
			r.awaitState(id, messages.Stopping)
		}, false},
		"draining": {`(trap '' TERM; while :; do echo more; sleep 0.02; done) & exit 1`, func(r *rig, id string) {
			r.awaitState(id, messages.Stopping) // its leader has exited
		}, true},
		"clearing": {`(trap '' TERM; exec sleep 1000 >/dev/null 2>&1) & sleep 0.1; exit 1`, func(r *rig, id string) {
			r.awaitState(id, messages.BackingOff) // its output is complete
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
				i := r.info(id)
				assert.Equal(t, 1, i.Restarts)
				assert.NotEmpty(t, i.Incarnations)
				ask[*messages.Exit](r, &messages.KillProcess{ID: id})
				return
			}
			ask[*messages.Exit](r, &messages.WaitExit{ID: id})
			assert.Zero(t, r.info(id).Restarts)
		})
	}
}

func TestAPanicAnswersTheOneWhoseMessageItWas(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start(messages.Shell(family))
	child := actor.NewPID(r.pool.Address, r.pool.Id+"/"+id)
	answer, err := r.system.Root.RequestFuture(child, &written{}, testkit.Patience).Result()
	require.NoError(t, err)
	refusal := is[*messages.Error](r, answer)
	assert.Equal(t, messages.CodeFailed, refusal.Code)
	assert.Equal(t, id, refusal.ID)
	assert.Equal(t, messages.CauseCrashed, ask[*messages.Exit](r, &messages.WaitExit{ID: id}).Cause)
}

func TestAnActorThatFailsTooOftenLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id, other := r.start(messages.Shell(family)), r.start(messages.Shell("sleep 1000"))
	r.awaitText(id, "ready")
	for range supervisor.MaxActorRestarts + 2 {
		r.panics(id)
	}
	r.eventually(func(r *rig) { // it is forgotten
		// What reaches the actor while it stops is not answered.
		answer, _ := r.system.Root.RequestFuture(r.pool, &messages.GetInfo{ID: id}, 100*time.Millisecond).Result()
		assert.Equal(r.t, messages.CodeNotFound, is[*messages.Error](r, answer).Code)
	})
	list := ask[*messages.ProcessList](r, &messages.ListProcesses{}).Processes
	require.Len(t, list, 1)
	assert.Equal(t, other, list[0].ID)
	r.eventually(func(r *rig) { // only the other one is left, with its shell or without
		left := testkit.Marked(r.engine)
		assert.NotEmpty(r.t, left)
		assert.LessOrEqual(r.t, len(left), 2, "%v", left)
	})
	assert.Equal(t, messages.Running, r.info(other).State)
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
	assert.Equal(t, messages.CodeInvalidRequest, ask[*messages.Error](r, (*messages.GetInfo)(nil)).Code, "a request that is nil")
	r.system.Root.Send(r.pool, &fails{})
	for _, f := range waiting {
		assert.Equal(t, messages.CodeClosed, is[*messages.Error](r, r.result(f)).Code, "what who waited is told")
	}
	r.awaitNothingLeft()
	// The pool itself goes on, empty.
	assert.Empty(t, ask[*messages.ProcessList](r, &messages.ListProcesses{}).Processes)
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
	r.eventually(func(r *rig) { assert.NotEmpty(r.t, answers, "none is answered") })
	happens(r)
	close(stop)
	n, late := <-asked, time.After(testkit.Patience)
	for i := range n {
		select {
		case answer := <-answers:
			if refusal, ok := answer.(*messages.Error); ok {
				assert.Contains(t, []messages.Code{messages.CodeClosed, messages.CodeNotFound}, refusal.Code, "%+v", refusal)
			}
		case <-late:
			require.Fail(t, "requests are not answered", "%d of %d are", i, n)
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
					r.eventually(func(r *rig) { assert.Positive(r.t, r.failed.Load(), "the pool has not failed") })
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
	r.awaitNothingLeft()
}

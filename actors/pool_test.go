package actors

import (
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/messages"
)

// Who waits for the pool itself is answered when that fails, whatever its supervisor does
// then.
func TestAPoolThatFailsAnswersWhoWaitsForIt(t *testing.T) {
	t.Parallel()
	for name, directive := range map[string]actor.Directive{
		"Resume": actor.ResumeDirective, "Restart": actor.RestartDirective, "Stop": actor.StopDirective, "Escalate": actor.EscalateDirective,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRigUnder(t, directive)
			spec := messages.Shell("trap '' TERM; echo on; sleep 1000; sleep 1000")
			spec.Grace = 2 * time.Second
			id, other := r.start(spec), r.start(messages.Shell("sleep 1000"))
			r.awaitText(id, "on")
			release, kill := r.later(&messages.ReleaseProcess{ID: id}), r.later(&messages.KillProcess{ID: other})
			again := r.later(&messages.ReleaseProcess{ID: id})
			all := r.later(&messages.ReleaseAll{})
			r.info(id) // they have arrived
			r.system.Root.Send(r.pool, &fails{})
			for what, answer := range map[string]any{"Release": r.result(release), "Release again": r.result(again), "Kill": r.result(kill), "ReleaseAll": r.result(all)} {
				require.NotNil(t, answer, what)
				if directive == actor.ResumeDirective {
					assert.IsNotType(t, &messages.Error{}, answer, "%s: %v", what, answer)
				}
			}
			r.awaitNothingLeft()
		})
	}
}

// A shutdown goes on when the pool fails, and counts what has ended by that.
func TestAPoolThatFailsDuringAShutdown(t *testing.T) {
	t.Parallel()
	for name, directive := range map[string]actor.Directive{
		"Resume": actor.ResumeDirective, "Restart": actor.RestartDirective, "Stop": actor.StopDirective, "Escalate": actor.EscalateDirective,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRigUnder(t, directive)
			id, other := r.start(messages.Shell("trap '' TERM; echo on; sleep 1000; sleep 1000")), r.start(messages.Shell("exit 3"))
			r.awaitText(id, "on")
			ask[*messages.Exit](r, &messages.WaitExit{ID: other})
			first, second := r.later(&messages.Shutdown{}), r.later(&messages.Shutdown{})
			r.system.Root.Send(r.pool, &fails{})
			refusal := ask[*messages.Error](r, &messages.StartProcess{Spec: messages.Shell("sleep 1000")})
			assert.Equal(t, messages.CodeClosed, refusal.Code)
			for _, f := range []*actor.Future{first, second} {
				assert.Equal(t, &messages.ShutdownReport{Killed: 1}, r.result(f))
			}
			assert.Empty(t, testkit.Marked(r.engine))
		})
	}
}

// A process actor that is held up is not left out of a list as if it were not there.
func TestAListThatIsNotComplete(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start(messages.Shell("sleep 1000"))
	r.start(messages.Shell("sleep 1000"))
	held, there := r.system.ProcessRegistry.GetLocal(r.pool.Id + "/" + id)
	require.True(t, there)
	held.SendSystemMessage(r.pool, &actor.SuspendMailbox{})
	list, kill, release := r.later(&messages.ListProcesses{}), r.later(&messages.KillAll{}), r.later(&messages.ReleaseAll{})
	for _, f := range []*actor.Future{list, kill, release} {
		refusal := is[*messages.Error](r, r.result(f))
		assert.Equal(t, messages.CodeFailed, refusal.Code)
		assert.Contains(t, refusal.Message, "1 of 2 process actors")
	}
	held.SendSystemMessage(r.pool, &actor.ResumeMailbox{})
	assert.Len(t, ask[*messages.ProcessList](r, &messages.ListProcesses{}).Processes, 2)
}

// A process actor that fails while the pool stops does not hold that up.
func TestAFailureWhileThePoolStops(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for range 5 {
		r.panics(r.start(messages.Shell("sleep 1000")))
	}
	r.system.Root.Stop(r.pool)
	r.eventually(func(r *rig) {
		_, there := r.system.ProcessRegistry.GetLocal(r.pool.Id)
		assert.False(r.t, there, "the pool has not stopped")
	})
	r.awaitNothingLeft()
}

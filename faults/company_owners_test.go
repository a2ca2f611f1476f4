//go:build linux

package faults

import (
	"errors"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

// startFor starts a process that ends with its owner.
func startFor(t *testing.T, eng *procession.Engine, owner *actor.PID) (id string) {
	t.Helper()
	answer, err := eng.System().Root.RequestFuture(eng.Pool(), &messages.StartProcess{Spec: procession.Shell("sleep 1000"), Owner: owner}, 10*time.Second).Result()
	require.NoError(t, err)
	require.IsType(t, &messages.ProcessStarted{}, answer)
	return answer.(*messages.ProcessStarted).ID
}

// isForgotten waits until nothing is known of a process any more.
func isForgotten(t *testing.T, eng *procession.Engine, id string, msgAndArgs ...any) {
	t.Helper()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		_, err := eng.Info(testkit.Within(t), id)
		assert.ErrorIs(c, err, procession.ErrNotFound)
	}, 10*time.Second, tick, msgAndArgs...)
}

// An owner that stops slowly, while another has its name already.
func TestCompanyOwnersOfOneName(t *testing.T) {
	eng, system := company(t)
	mayStop := make(chan struct{})
	stopped := make(chan struct{})
	old, err := system.Root.SpawnNamed(actor.PropsFromFunc(func(ctx actor.Context) {
		if _, is := ctx.Message().(*actor.Stopped); is { // its name is free by now
			close(stopped)
			<-mayStop
		}
	}), "agent")
	require.NoError(t, err)
	olds := startFor(t, eng, old)
	system.Root.Stop(old)
	<-stopped
	young, err := system.Root.SpawnNamed(actor.PropsFromFunc(ignores), "agent")
	require.NoError(t, err)
	youngs := []string{startFor(t, eng, young), startFor(t, eng, actor.NewPID(young.Address, young.Id))}
	close(mayStop)
	isForgotten(t, eng, olds, "what is the old one's ends")
	for _, id := range youngs {
		info := enginetest.Info(t, eng, id)
		assert.Equal(t, procession.Running, info.State)
	}
	system.Root.Stop(young)
	for _, id := range youngs {
		isForgotten(t, eng, id, "what is the young one's ends")
	}
	shutsDown(t, eng, procession.ShutdownReport{})
}

// An actor has two addresses: that which it was spawned with, and that which its system got
// later, as protoactor's remote gives it one.
func TestCompanyOwnersByAnotherAddress(t *testing.T) {
	system := newSystem()
	early, local := system.Root.Spawn(actor.PropsFromFunc(ignores)), system.ProcessRegistry.Address
	system.ProcessRegistry.Address = "127.0.0.1:1"
	late := system.Root.Spawn(actor.PropsFromFunc(ignores))
	eng := enginetest.New(t, procession.WithActorSystem(system))
	owned := map[*actor.PID][]string{
		early: {startFor(t, eng, early), startFor(t, eng, actor.NewPID(local, early.Id)), startFor(t, eng, actor.NewPID("127.0.0.1:1", early.Id))},
		late:  {startFor(t, eng, late), startFor(t, eng, actor.NewPID(local, late.Id)), startFor(t, eng, actor.NewPID("127.0.0.1:1", late.Id))},
	}
	for owner, ids := range owned {
		system.Root.Stop(owner)
		for _, id := range ids {
			isForgotten(t, eng, id, "it ends with its owner")
		}
	}
	gone := startFor(t, eng, early) // which has stopped long ago
	isForgotten(t, eng, gone, "it ends at once")
	shutsDown(t, eng, procession.ShutdownReport{})
}

// An owner that fails or blocks when it is watched, and one that nobody knows.
func TestCompanyOwnersThatFail(t *testing.T) {
	names := failingAskers(t, newSystem())
	for name := range names {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			owner := failingAskers(t, system)[name]
			ids := []string{startFor(t, eng, owner), startFor(t, eng, owner)}
			for _, id := range ids {
				assert.NoError(t, releaseUnlessGone(t, eng, id))
			}
			lives(t, eng)
			startFor(t, eng, owner)
			_, err := eng.Shutdown(testkit.Within(t))
			require.NoError(t, err)
		})
	}
}

// releaseUnlessGone releases what may have ended with its owner already.
func releaseUnlessGone(t *testing.T, eng *procession.Engine, id string) error {
	if err := eng.Release(testkit.Within(t), id); !errors.Is(err, procession.ErrNotFound) {
		return err
	}
	return nil
}

// A subscriber that panics over what the pool sends to an owner that has stopped already.
func TestCompanyOwnersThatHaveStopped(t *testing.T) {
	eng, system := company(t)
	subscription := system.EventStream.Subscribe(func(event any) {
		if _, dead := event.(*actor.DeadLetterEvent); dead {
			panic("a subscriber")
		}
	})
	defer system.EventStream.Unsubscribe(subscription)
	for range 10 {
		id := startFor(t, eng, actor.NewPID(system.Address(), "nobody"))
		isForgotten(t, eng, id, "it ends at once")
	}
	lives(t, eng)
	shutsDown(t, eng, terminatedOne)
}

// An owner that its supervisor starts anew is the same actor; one that it stops is gone.
func TestCompanyOwnersThatPanic(t *testing.T) {
	for name, directive := range map[string]actor.Directive{
		"restart": actor.RestartDirective, "resume": actor.ResumeDirective, "stop": actor.StopDirective, "escalate": actor.EscalateDirective,
	} {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			panicked := make(chan struct{}, 1)
			var owner *actor.PID
			spawned := make(chan struct{})
			parent := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
				if _, is := ctx.Message().(*actor.Started); is && owner == nil {
					owner = ctx.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
						if ctx.Message() == "panic" {
							panicked <- struct{}{}
							panic("an owner")
						}
					}))
					close(spawned)
				}
			}, actor.WithSupervisor(actor.NewOneForOneStrategy(10, time.Minute, func(any) actor.Directive { return directive }))))
			<-spawned
			id := startFor(t, eng, owner)
			system.Root.Send(owner, "panic")
			<-panicked
			if directive == actor.RestartDirective || directive == actor.ResumeDirective {
				_, err := system.Root.RequestFuture(owner, &actor.Touch{}, 10*time.Second).Result()
				require.NoError(t, err, "it goes on")
				info := enginetest.Info(t, eng, id)
				assert.Equal(t, procession.Running, info.State)
				system.Root.Stop(owner)
			}
			isForgotten(t, eng, id, "it ends with its owner")
			system.Root.Stop(parent)
			shutsDown(t, eng, procession.ShutdownReport{})
		})
	}
}

//go:build linux

package actors_test

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

func TestProcessesEndWithTheirOwner(t *testing.T) {
	e := enginetest.New(t)
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
			reply, err := system.Root.RequestFuture(parent, "owner", testkit.Patience).Result()
			require.NoError(t, err)
			var pids []int
			for range 3 {
				pids = append(pids, (<-started).PID)
			}
			other := enginetest.Start(t, e, procession.Shell("sleep 1000"))
			end(system, reply.(*actor.PID))
			ctx := testkit.Within(t)
			testkit.Eventually(t, func(c *assert.CollectT) {
				list, err := e.List(ctx)
				require.NoError(c, err)
				assert.Equal(c, []string{other}, idsOf(list), "what is not released")
			})
			for _, pid := range pids {
				assert.False(t, testkit.Alive(pid), "%d is alive", pid)
			}
			assert.NoError(t, e.Release(testkit.Within(t), other))
		})
	}
}

func TestAProcessEndsWithItsOwner(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	owner, other := enginetest.NewAsker(t, e.System()), enginetest.NewAsker(t, e.System())
	start := func(a *enginetest.Asker) *messages.ProcessStarted {
		return enginetest.Ask[*messages.ProcessStarted](t, a, e.Pool(), &messages.StartProcess{Spec: procession.Shell("sleep 1000"), Owner: a.PID})
	}
	owned, free := start(owner), start(other)
	e.System().Root.Stop(owner.PID)
	ctx := testkit.Within(t)
	testkit.Eventually(t, func(c *assert.CollectT) {
		_, err := e.Info(ctx, owned.ID)
		assert.ErrorIs(c, err, procession.ErrNotFound)
	})
	_, there := testkit.Look(owned.PID)
	assert.False(t, there, "what was owned is there, if only as a zombie")
	assert.True(t, testkit.Alive(free.PID), "what another owns has ended")
}

func TestAnOwnerThatHasStoppedAlready(t *testing.T) {
	e := enginetest.New(t)
	owner := e.System().Root.Spawn(actor.PropsFromFunc(func(actor.Context) {}))
	require.NoError(t, e.System().Root.StopFuture(owner).Wait())
	events := enginetest.Collect(t, e)
	e.System().Root.Send(e.Pool(), &messages.StartProcess{Spec: procession.Shell("sleep 1000"), Owner: owner})
	enginetest.AwaitA[*messages.ProcessReleased](t, events)
	list, err := e.List(testkit.Within(t))
	require.NoError(t, err)
	assert.Empty(t, list)
}

func TestMonitorTellsOnce(t *testing.T) {
	e := enginetest.New(t)
	asker, other := enginetest.NewAsker(t, e.System()), enginetest.NewAsker(t, e.System())
	spec := procession.Shell("read line; exit 3")
	spec.Stdin = true
	id := enginetest.Start(t, e, spec)
	monitor := func(a *enginetest.Asker) { a.Send(e.Pool(), &messages.Monitor{ID: id}) }
	// down takes what comes next, after which nothing more may have come.
	down := func() {
		t.Helper()
		down := enginetest.As[*messages.ProcessDown](t, asker.Next(t))
		assert.Equal(t, id, down.ID)
		assert.Equal(t, 3, down.Exit.Code)
		for range 2 {
			enginetest.Ask[*messages.Info](t, asker, e.Pool(), &messages.GetInfo{ID: id})
		}
	}
	monitor(asker)
	monitor(asker) // still one
	monitor(other)
	enginetest.Ask[*messages.Done](t, other, e.Pool(), &messages.Demonitor{ID: id})
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	down()
	monitor(asker) // it has ended: at once
	down()
	require.NoError(t, e.Release(testkit.Within(t), id))
	for _, a := range []*enginetest.Asker{asker, other} {
		enginetest.Ask[*messages.Error](t, a, e.Pool(), &messages.GetInfo{ID: id})
		enginetest.Ask[*messages.ProcessList](t, a, e.Pool(), &messages.ListProcesses{})
		assert.Empty(t, a.Got, "told again")
	}
}

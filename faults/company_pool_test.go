//go:build linux

package faults

import (
	"context"
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

// Somebody else stops the pool, or some of its actors. Shutdown returns when all is reaped,
// and counts.
func TestCompanyAStrangerStopsThePool(t *testing.T) {
	for name, stop := range map[string]func(system *actor.ActorSystem, pool *actor.PID){
		"Stop":            func(system *actor.ActorSystem, pool *actor.PID) { system.Root.Stop(pool) },
		"Poison":          func(system *actor.ActorSystem, pool *actor.PID) { system.Root.Poison(pool) },
		"Stop, and waits": func(system *actor.ActorSystem, pool *actor.PID) { system.Root.StopFuture(pool).Wait() },
		"a PoisonPill":    func(system *actor.ActorSystem, pool *actor.PID) { system.Root.Send(pool, &actor.PoisonPill{}) },
		"Poison and Stop": func(system *actor.ActorSystem, pool *actor.PID) { system.Root.Poison(pool); system.Root.Stop(pool) },
	} {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			const n = 20
			var ids []string
			for range n {
				ids = append(ids, enginetest.Start(t, eng, procession.Shell("trap '' TERM; setsid sleep 1000 & sleep 1000")))
			}
			waited := make(chan error, 1)
			go func() {
				_, err := eng.Wait(testkit.Within(t), ids[0])
				waited <- err
			}()
			stop(system, eng.Pool())
			report, err := eng.Shutdown(testkit.Within(t))
			require.NoError(t, err)
			assert.Equal(t, n, report.Killed+report.Terminated)
			for _, id := range ids {
				leavesNothing(t, id)
			}
			<-waited
			_, err = eng.Shutdown(testkit.Within(t))
			assert.ErrorIs(t, err, procession.ErrClosed)
			_, err = eng.List(testkit.Within(t))
			assert.ErrorIs(t, err, procession.ErrClosed)
		})
	}
}

func TestCompanyAStrangerStopsThePoolDuringAShutdown(t *testing.T) {
	eng, system := company(t, procession.WithGrace(20*time.Second))
	id := enginetest.Start(t, eng, procession.Shell("trap '' TERM; echo ready; sleep 1000; sleep 1000"))
	_, err := eng.WaitFor(testkit.Within(t), id, ready)
	require.NoError(t, err)
	done := make(chan procession.ShutdownReport, 1)
	go func() {
		report, err := eng.Shutdown(testkit.Within(t))
		assert.NoError(t, err)
		done <- report
	}()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		info, err := eng.Info(testkit.Within(t), id)
		assert.NoError(t, err)
		assert.Equal(c, procession.Stopping, info.State)
	}, 10*time.Second, tick, "it shuts down")
	system.Root.Stop(eng.Pool())
	assert.Equal(t, procession.ShutdownReport{Killed: 1}, <-done)
	leavesNothing(t, id)
}

func TestCompanyAStrangerStopsAProcessActor(t *testing.T) {
	eng, system := company(t)
	id := enginetest.Start(t, eng, procession.Shell("setsid sleep 1000 & sleep 1000"))
	other := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
	system.Root.Stop(actor.NewPID(eng.Pool().Address, eng.Pool().Id+"/"+id))
	isForgotten(t, eng, id)
	leavesNothing(t, id)
	enginetest.Info(t, eng, other)
	shutsDown(t, eng, terminatedOne)
}

// What a pool cannot live with is refused, and leaves nothing behind.
func TestCompanyPoolProps(t *testing.T) {
	props := func(t *testing.T, opts ...actor.PropsOption) *actor.Props {
		props, err := procession.PoolProps(procession.WithGrace(time.Second))
		require.NoError(t, err)
		return props.Configure(opts...)
	}
	works := func(t *testing.T, system *actor.ActorSystem, pool *actor.PID) {
		t.Helper()
		started, err := system.Root.RequestFuture(pool, &messages.StartProcess{Spec: procession.Shell("sleep 1000")}, 10*time.Second).Result()
		require.NoError(t, err)
		require.IsType(t, &messages.ProcessStarted{}, started)
		report, err := system.Root.RequestFuture(pool, &messages.Shutdown{}, 10*time.Second).Result()
		require.NoError(t, err)
		assert.Equal(t, &messages.ShutdownReport{Terminated: 1}, report)
	}
	t.Run("twice", func(t *testing.T) {
		system, props := newSystem(), props(t)
		pool, err := system.Root.SpawnNamed(props, "pool")
		require.NoError(t, err)
		for _, name := range []string{"pool", "another"} {
			_, err = system.Root.SpawnNamed(props, name)
			assert.Error(t, err)
		}
		works(t, system, pool)
	})
	t.Run("twice, by another function", func(t *testing.T) {
		system, props := newSystem(), props(t, actor.WithSpawnFunc(actor.DefaultSpawner))
		pool, err := system.Root.SpawnNamed(props, "pool")
		require.NoError(t, err)
		assert.Panics(t, func() { system.Root.SpawnNamed(props, "another") })
		works(t, system, pool)
	})
	t.Run("a name that is taken", func(t *testing.T) {
		system, props := newSystem(), props(t)
		stranger, err := system.Root.SpawnNamed(actor.PropsFromFunc(ignores), "pool")
		require.NoError(t, err)
		_, err = system.Root.SpawnNamed(props, "pool")
		require.ErrorIs(t, err, actor.ErrNameExists)
		_, there := system.ProcessRegistry.Get(stranger)
		assert.True(t, there, "the stranger is still there")
		pool, err := system.Root.SpawnNamed(props, "another")
		require.NoError(t, err, "it was not spawned yet")
		works(t, system, pool)
	})
	for name, producer := range map[string]actor.MailboxProducer{
		"no mailbox": func() actor.Mailbox { return nil }, "another mailbox": actor.Unbounded(), "a bounded mailbox": actor.Bounded(2),
	} {
		t.Run(name, func(t *testing.T) {
			system := newSystem()
			_, err := system.Root.SpawnNamed(props(t, actor.WithMailbox(producer)), "pool")
			require.Error(t, err)
			pool, err := system.Root.SpawnNamed(props(t), "pool")
			require.NoError(t, err, "the name is free")
			works(t, system, pool)
		})
	}
	for name, spawns := range map[string]actor.SpawnFunc{
		"refuses to spawn": func(*actor.ActorSystem, string, *actor.Props, actor.SpawnerContext) (*actor.PID, error) {
			return nil, errors.New("a middleware refuses")
		},
		"panics": func(*actor.ActorSystem, string, *actor.Props, actor.SpawnerContext) (*actor.PID, error) {
			panic("a middleware")
		},
		"spawns something else": func(system *actor.ActorSystem, id string, _ *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
			return actor.DefaultSpawner(system, id, actor.PropsFromFunc(ignores), parent)
		},
	} {
		t.Run("a middleware "+name, func(t *testing.T) {
			system := newSystem()
			pool, err := system.Root.SpawnNamed(props(t, actor.WithSpawnMiddleware(func(actor.SpawnFunc) actor.SpawnFunc { return spawns })), "pool")
			require.NoError(t, err)
			ask := func(m any) any {
				answer, err := system.Root.RequestFuture(pool, m, 10*time.Second).Result()
				require.NoError(t, err)
				return answer
			}
			for range 3 {
				refusal := ask(&messages.StartProcess{Spec: procession.Shell("sleep 1000")})
				require.IsType(t, &messages.Error{}, refusal)
				assert.Equal(t, messages.CodeFailed, refusal.(*messages.Error).Code)
			}
			assert.Equal(t, &messages.ProcessList{Processes: []messages.Info{}}, ask(&messages.ListProcesses{}))
			assert.Equal(t, &messages.ShutdownReport{}, ask(&messages.Shutdown{}))
		})
	}
}

// Names that the engine would take are others' already.
func TestCompanyNamesThatAreTaken(t *testing.T) {
	_, system := company(t)
	var taken []*actor.PID
	for range 3 {
		// The next ones are numbered in order: "$1", "$2" and so on, in base 64.
		id := system.ProcessRegistry.NextId()
		for _, digit := range "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ~+" {
			for _, prefix := range []string{"procession-reply", "procession-gather"} {
				pid, absent := system.ProcessRegistry.Add(&addressed{func(any) {}}, prefix+id[:len(id)-1]+string(digit))
				if absent {
					taken = append(taken, pid)
				}
			}
		}
	}
	eng := enginetest.New(t, procession.WithActorSystem(system), procession.WithGrace(time.Second))
	lives(t, eng)
	shutsDown(t, eng, terminatedOne)
	for _, pid := range taken {
		_, there := system.ProcessRegistry.Get(pid)
		assert.True(t, there, "%v is still its own", pid)
	}
	_, err := eng.List(context.Background())
	assert.ErrorIs(t, err, procession.ErrClosed)
}

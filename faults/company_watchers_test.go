//go:build linux

package faults

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// watcher is one with code of its own.
type watcher struct {
	addressed
	told func(message any)
}

func (w *watcher) SendSystemMessage(_ *actor.PID, message any) { w.told(message) }

// Who watches the pool, or the actor of a process, and fails or blocks when it is told of its
// end. Nobody waits for that.
func TestCompanyWatchersThatFail(t *testing.T) {
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	for name, told := range map[string]func(){
		"panics": func() { panic("a watcher") }, "ends the goroutine": runtime.Goexit, "blocks": func() { <-end },
	} {
		for _, gone := range []bool{false, true} {
			title := name
			if gone {
				title = "has stopped, and who hears of dead letters " + name
			}
			t.Run(title, func(t *testing.T) {
				eng, system := company(t)
				pid, _ := system.ProcessRegistry.Add(&watcher{addressed{func(any) {}}, func(any) { told() }}, "watcher")
				if gone {
					system.ProcessRegistry.Remove(pid)
					system.EventStream.Subscribe(func(event any) {
						if _, dead := event.(*actor.DeadLetterEvent); dead {
							told()
						}
					})
				}
				id, other := enginetest.Start(t, eng, procession.Shell("sleep 1000")), enginetest.Start(t, eng, procession.Shell("sleep 1000"))
				for _, watched := range []string{eng.Pool().Id, eng.Pool().Id + "/" + id, eng.Pool().Id + "/" + other} {
					process, there := system.ProcessRegistry.GetLocal(watched)
					require.True(t, there, watched)
					process.SendSystemMessage(eng.Pool(), &actor.Watch{Watcher: pid})
				}
				require.NoError(t, eng.Release(testkit.Within(t), id))
				enginetest.Info(t, eng, other)
				lives(t, eng)
				shutsDown(t, eng, procession.ShutdownReport{Terminated: 2})
				_, err := eng.Info(testkit.Within(t), other)
				assert.ErrorIs(t, err, procession.ErrClosed)
			})
		}
	}
}

// Who watches is told, once, as the actor system does it; also who comes too late.
func TestCompanyWatchersAreTold(t *testing.T) {
	eng, system := company(t)
	id := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
	actors := map[string]*actor.PID{"pool": eng.Pool(), "process": actor.NewPID(eng.Pool().Address, eng.Pool().Id+"/"+id)}
	told := make(chan *actor.Terminated, 10)
	type watch struct{ pid *actor.PID }
	type unwatch struct{ pid *actor.PID }
	watches := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
		switch m := ctx.Message().(type) {
		case watch:
			ctx.Watch(m.pid)
			ctx.Respond(true)
		case unwatch:
			ctx.Unwatch(m.pid)
			ctx.Respond(true)
		case *actor.Terminated:
			told <- m
		}
	}))
	tell := func(m any) {
		_, err := system.Root.RequestFuture(watches, m, 10*time.Second).Result()
		require.NoError(t, err)
	}
	is := func(pid *actor.PID) {
		t.Helper()
		select {
		case m := <-told:
			assert.Equal(t, pid.Id, m.Who.Id)
		case <-time.After(10 * time.Second):
			require.Fail(t, "it is not told")
		}
	}
	for _, pid := range actors {
		tell(watch{pid})
		tell(unwatch{pid})
		tell(watch{pid})
	}
	require.NoError(t, eng.Release(testkit.Within(t), id))
	is(actors["process"])
	tell(watch{actors["process"]})
	is(actors["process"])
	_, err := eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	is(actors["pool"])
	tell(watch{actors["pool"]})
	is(actors["pool"])
	assert.Empty(t, told)
}

// What only the system says, said by somebody who lacks what it says.
func TestCompanyForgedSystemMessages(t *testing.T) {
	for name, message := range map[string]any{
		"Terminated": &actor.Terminated{}, "Watch": &actor.Watch{}, "Unwatch": &actor.Unwatch{}, "Failure": &actor.Failure{},
		"nil": nil, "a typed nil": (*actor.Watch)(nil), "a string": "stop",
	} {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			id := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
			for _, to := range []string{eng.Pool().Id, eng.Pool().Id + "/" + id} {
				process, there := system.ProcessRegistry.GetLocal(to)
				require.True(t, there, to)
				process.SendSystemMessage(eng.Pool(), message)
			}
			lives(t, eng)
			shutsDown(t, eng, procession.ShutdownReport{Terminated: 2})
		})
	}
}

// A write that is under way when somebody stops its actor, or the pool.
func TestCompanyAStrangerStopsAWrite(t *testing.T) {
	for name, stop := range map[string]func(root *actor.RootContext, pool, process *actor.PID){
		"Stop the pool":      func(root *actor.RootContext, pool, _ *actor.PID) { root.Stop(pool) },
		"Poison the pool":    func(root *actor.RootContext, pool, _ *actor.PID) { root.Poison(pool) },
		"Stop the process":   func(root *actor.RootContext, _, process *actor.PID) { root.Stop(process) },
		"Poison the process": func(root *actor.RootContext, _, process *actor.PID) { root.Poison(process) },
	} {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			spec := procession.Shell("sleep 1000")
			spec.Stdin = true
			id := enginetest.Start(t, eng, spec)
			type result struct {
				n   int
				err error
			}
			done := make(chan result, 2)
			for range 2 { // the second waits for its turn
				go func() {
					n, err := eng.Write(testkit.Within(t), id, make([]byte, 1<<20))
					done <- result{n, err}
				}()
			}
			pid := enginetest.Info(t, eng, id).PID
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.True(c, pipeIsFull(pid))
			}, 10*time.Second, tick, "the pipe is full")
			stop(system.Root, eng.Pool(), actor.NewPID(eng.Pool().Address, eng.Pool().Id+"/"+id))
			total := 0
			for range 2 {
				select {
				case r := <-done:
					refusals := []error{procession.ErrStdinClosed, procession.ErrClosed, procession.ErrNotFound}
					assert.True(t, slices.ContainsFunc(refusals, func(one error) bool { return errors.Is(r.err, one) }), "%v", r.err)
					total += r.n
				case <-time.After(20 * time.Second):
					require.Fail(t, "a write has not returned")
				}
			}
			assert.Equal(t, 1<<16, total, "what is in the pipe")
			_, err := eng.Shutdown(testkit.Within(t))
			require.NoError(t, err)
			leavesNothing(t, id)
		})
	}
}

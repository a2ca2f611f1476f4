//go:build linux

package faults

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

// pipeIsFull reports whether a process's standard input, a pipe that it does not read, takes
// no more.
func pipeIsFull(pid int) bool {
	file, err := os.OpenFile(fmt.Sprintf("/proc/%d/fd/0", pid), os.O_WRONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer file.Close()
	n, err := unix.IoctlGetInt(int(file.Fd()), unix.TIOCINQ)
	return err == nil && n == 1<<16
}

// Addresses of other systems, which somebody resolves who panics or blocks.
func TestCompanyResolversThatFail(t *testing.T) {
	end := make(chan struct{})
	t.Cleanup(func() { close(end) })
	for name, fail := range map[string]func(){"panics": func() { panic("a resolver") }, "blocks": func() { <-end }} {
		t.Run(name, func(t *testing.T) {
			eng, system := company(t)
			var asked atomic.Int32
			system.ProcessRegistry.RegisterAddressResolver(func(pid *actor.PID) (actor.Process, bool) {
				asked.Add(1)
				fail()
				return nil, false
			})
			id := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
			far := actor.NewPID("far:1", "away")
			process, _ := system.ProcessRegistry.GetLocal(eng.Pool().Id)
			for _, m := range []any{
				&messages.ListProcesses{}, &messages.GetInfo{ID: id}, &messages.GetInfo{ID: "nobody"}, &messages.WaitExit{ID: id}, &messages.Monitor{ID: id},
				&messages.KillAll{Selector: messages.Selector{Labels: map[string]string{"a": "b"}}}, &messages.StartProcess{Spec: procession.Shell("sleep 1000"), Owner: far},
			} {
				process.SendUserMessage(eng.Pool(), &actor.MessageEnvelope{Message: m, Sender: far})
			}
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				assert.Positive(c, asked.Load(), "nobody resolves it")
			}, 10*time.Second, tick)
			info := enginetest.Info(t, eng, id)
			assert.Equal(t, procession.Running, info.State)
			report, err := eng.Shutdown(testkit.Within(t))
			require.NoError(t, err)
			assert.LessOrEqual(t, report.Terminated, 2)
			leavesNothing(t, id)
		})
	}
}

// answering is a receiver that has a method like those of the engine's own.
type answering struct {
	addressed
	answer func(any)
}

func (a *answering) Answer(message any) { a.answer(message) }

// Nobody is taken for one of the engine's own addresses.
func TestCompanyAnAddressThatLooksLikeTheEngines(t *testing.T) {
	eng, system := company(t)
	end := make(chan struct{})
	defer close(end)
	got := make(chan any, 10)
	pid, _ := system.ProcessRegistry.Add(&answering{addressed{func(m any) { got <- m }}, func(any) { <-end }}, "procession-reply")
	system.Root.RequestWithCustomSender(eng.Pool(), &messages.ListProcesses{}, pid)
	system.Root.RequestWithCustomSender(eng.Pool(), &messages.GetInfo{ID: "nobody"}, pid)
	for range 2 {
		<-got
	}
	lives(t, eng)
	shutsDown(t, eng, terminatedOne)
}

// What the engine tells itself by its timers passes no middleware of the user's.
func TestCompanyTimersPassMiddlewares(t *testing.T) {
	system := newSystem()
	system.Root.WithSenderMiddleware(func(next actor.SenderFunc) actor.SenderFunc {
		return func(ctx actor.SenderContext, to *actor.PID, envelope *actor.MessageEnvelope) {
			panic("a middleware")
		}
	})
	eng := enginetest.New(t, procession.WithActorSystem(system), procession.WithRetention(-1, 10*time.Millisecond))
	spec := procession.Shell("exit 3")
	spec.Restart = procession.Policy{When: procession.OnFailure, MaxRestarts: 2, MinBackoff: time.Millisecond}
	for _, spec := range []procession.Spec{procession.Shell("exit 0"), spec} {
		id := enginetest.Start(t, eng, spec)
		isForgotten(t, eng, id)
	}
	slow := procession.Shell("sleep 1000")
	slow.Timeout = 10 * time.Millisecond
	enginetest.Start(t, eng, slow)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		list, err := eng.List(testkit.Within(t))
		assert.NoError(t, err)
		assert.Empty(c, list)
	}, 10*time.Second, tick, "its time is over")
	shutsDown(t, eng, procession.ShutdownReport{})
}

//go:build linux

package faults

import (
	"context"
	"runtime"
	"sync"
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

// A method of Engine runs turns itself, and returns when its context ends all the same,
// whatever others ask.
func TestCompanyCallersKeepTheirTime(t *testing.T) {
	eng, system := company(t)
	var ids []string
	for range 20 {
		ids = append(ids, enginetest.Start(t, eng, procession.Shell("sleep 1000")))
	}
	noise, cancel := context.WithCancel(context.Background())
	var others sync.WaitGroup
	defer others.Wait()
	defer cancel()
	for range 20 {
		others.Go(func() {
			for noise.Err() == nil {
				eng.List(noise)
			}
		})
	}
	for n := range 3 { // who floods the pool with what is not answered to them
		others.Go(func() {
			for noise.Err() == nil {
				for range 100 {
					system.Root.Send(eng.Pool(), &messages.GetInfo{ID: ids[n]})
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	var late int
	const calls = 500
	for range calls {
		ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		begun := time.Now()
		_, err := eng.Info(ctx, ids[0])
		if time.Since(begun) > 10*time.Millisecond {
			late++
		}
		cancel()
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
	}
	// A goroutine that is ready may wait for a processor longer than that.
	assert.LessOrEqual(t, late, calls/20, "of %d calls", calls)
}

// Actors that ask the engine, each in its turn, and hand on to the next.
func TestCompanyActorsThatAskEachOther(t *testing.T) {
	const actors = 10_000
	eng, system := company(t)
	id := enginetest.Start(t, eng, procession.Shell("sleep 1000"))
	pids := make([]*actor.PID, actors)
	done := make(chan int, 1)
	deepest := 0
	for i := range pids {
		pids[i] = system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			if _, asked := ctx.Message().(string); !asked {
				return
			}
			info, err := eng.Info(context.Background(), id)
			assert.NoError(t, err)
			assert.Equal(t, procession.Running, info.State)
			var callers [256]uintptr
			deepest = max(deepest, runtime.Callers(0, callers[:]))
			if i+1 < actors {
				ctx.Send(pids[i+1], "ask")
			} else {
				done <- deepest
			}
		}))
	}
	system.Root.Send(pids[0], "ask")
	select {
	case depth := <-done:
		assert.Less(t, depth, 100, "calls on the stack")
	case <-time.After(60 * time.Second):
		require.Fail(t, "they have not come to the end")
	}
}

// A lock that is held while something is asked or sent, and that who is told takes, too.
func TestCompanyLocksThatAreHeld(t *testing.T) {
	eng, system := company(t)
	var lock sync.Mutex
	subscription := system.EventStream.Subscribe(func(any) {
		lock.Lock()
		defer lock.Unlock()
	})
	defer system.EventStream.Unsubscribe(subscription)
	asker := system.Root.Spawn(actor.PropsFromFunc(func(actor.Context) {
		lock.Lock()
		defer lock.Unlock()
	}))
	lock.Lock()
	id := enginetest.Start(t, eng, procession.Shell("exit 3"))
	enginetest.Info(t, eng, id)
	for range 100 {
		system.Root.RequestWithCustomSender(eng.Pool(), &messages.GetInfo{ID: id}, asker)
	}
	exit := enginetest.Wait(t, eng, id)
	assert.Equal(t, 3, exit.Code)
	require.NoError(t, eng.Release(testkit.Within(t), id))
	lock.Unlock()
	lives(t, eng)
}

// onAStrangersThread calls do on a thread that is another user's, and that ends after it.
func onAStrangersThread(do func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		if _, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, 65534, 65534, 65534); errno != 0 {
			panic(errno)
		}
		do()
	}()
	<-done
}

// A caller on a thread of another user has the same done as from any thread.
func TestCompanyCallersOnAThreadOfAnotherUser(t *testing.T) {
	if unix.Geteuid() != 0 {
		t.Skip("needs root, to give a thread another user")
	}
	eng, _ := company(t)
	leader := procession.Shell(`trap 'exit 7' TERM; echo on; while :; do sleep 0.01; done`)
	leader.Ready = &procession.Probe{Pattern: "^on$"}
	onAStrangersThread(func() {
		id, err := eng.Start(testkit.Within(t), leader)
		assert.NoError(t, err)
		assert.NoError(t, eng.WaitReady(testkit.Within(t), id))
		info, err := eng.Info(testkit.Within(t), id)
		assert.NoError(t, err)
		assert.Equal(t, procession.Running, info.State)
		assert.NoError(t, eng.Signal(testkit.Within(t), id, unix.SIGCONT))
		exit, err := eng.Kill(testkit.Within(t), id)
		assert.NoError(t, err)
		assert.Equal(t, 7, exit.Code)
		assert.NoError(t, eng.Release(testkit.Within(t), id))
		terminal := procession.Shell("read line; echo got $line; sleep 1000")
		terminal.PTY = &procession.Size{Rows: 24, Cols: 80}
		id, err = eng.Start(testkit.Within(t), terminal)
		assert.NoError(t, err)
		_, err = eng.Write(testkit.Within(t), id, []byte("it\n"))
		assert.NoError(t, err)
		assert.NoError(t, eng.Resize(testkit.Within(t), id, procession.Size{Rows: 30, Cols: 100}))
		eng.Start(testkit.Within(t), procession.Shell("(setsid sleep 1000 &); sleep 1000"))
		report, err := eng.Shutdown(testkit.Within(t))
		assert.NoError(t, err)
		assert.Equal(t, 2, report.Terminated)
	})
}

//go:build linux

package faults

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// Trees that are still forking while they are ended. What is looked at has often
// forked a moment before and is gone by then, and what it forked may have a number
// that nobody has looked at.

// oneStep leaves a descendant by way of one that is gone at once.
const oneStep = `exec >/dev/null 2>&1; setsid sh -c 'sleep 1000 & exit' & exit`

// chain does so by way of three, each in a session of its own.
const chain = `exec >/dev/null 2>&1; setsid sh -c 'setsid sh -c "setsid sh -c \"setsid sleep 1000 & exit\" & exit" & exit' & exit`

// many runs one in four goroutines, so that the process IDs of their processes mix,
// with an engine of which nothing may be left in the end.
func many(t *testing.T, runs int, one func(eng *procession.Engine, i int)) {
	t.Helper()
	if *slow {
		runs *= 4
	}
	name := uuid.NewString()
	eng := enginetest.New(t, procession.WithID(name))
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for i := caller; i < runs && !t.Failed(); i += 4 {
				one(eng, i)
			}
		})
	}
	callers.Wait()
	assert.Empty(t, testkit.Marked(name))
}

func TestAForkingTreeEndsAfterItsLeader(t *testing.T) {
	many(t, 60, func(eng *procession.Engine, _ int) {
		ctx := testkit.Within(t)
		id, err := eng.Start(ctx, procession.Shell(oneStep))
		if !assert.NoError(t, err) {
			return
		}
		_, err = eng.Wait(ctx, id)
		assert.NoError(t, err)
		_, err = eng.Kill(ctx, id)
		assert.NoError(t, err)
		leavesNothing(t, id)
	})
}

// varying is a time in which a tree grows, another for each run.
func varying(i int) time.Duration { return time.Duration(i%23) * 250 * time.Microsecond }

func TestAForkingTreeEndsWithKill(t *testing.T) {
	many(t, 60, func(eng *procession.Engine, i int) {
		ctx := testkit.Within(t)
		id, err := eng.Start(ctx, procession.Shell(chain))
		if !assert.NoError(t, err) {
			return
		}
		time.Sleep(varying(i))
		_, err = eng.Kill(ctx, id)
		assert.NoError(t, err)
		leavesNothing(t, id)
	})
}

func TestAForkingTreeEndsWithRelease(t *testing.T) {
	many(t, 60, func(eng *procession.Engine, i int) {
		ctx := testkit.Within(t)
		id, err := eng.Start(ctx, procession.Shell([]string{oneStep, chain}[i%2]))
		if !assert.NoError(t, err) {
			return
		}
		time.Sleep(varying(i))
		assert.NoError(t, eng.Release(ctx, id))
		leavesNothing(t, id)
	})
}

func TestAForkingTreeEndsWithShutdown(t *testing.T) {
	runs := 20
	if *slow {
		runs = 80
	}
	for i := range runs {
		name := uuid.NewString()
		eng := enginetest.New(t, procession.WithID(name))
		for n := range 6 {
			enginetest.Start(t, eng, procession.Shell([]string{oneStep, chain}[n%2]))
		}
		time.Sleep(varying(i))
		_, err := eng.Shutdown(testkit.Within(t))
		require.NoError(t, err)
		for _, p := range testkit.Marked(name) {
			haveEnded(t, p.PID)
		}
	}
}

// A runaway does not listen, and is always somewhere else already. Each of it holds
// a pipe open, which tells whether it is there, wherever it is.
func TestARunawayEnds(t *testing.T) {
	testkit.Needs(t, "setsid")
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "runaway"), filepath.Join(dir, "pipe") // without the file it cannot go on
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	held, err := unix.Open(pipe, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	require.NoError(t, err)
	defer unix.Close(held)
	require.NoError(t, os.WriteFile(file, []byte("exec >/dev/null 2>&1 3>"+pipe+"; trap '' TERM; setsid sh "+file+" & exit\n"), 0o644))
	defer os.Remove(file)
	const grace = 100 * time.Millisecond
	for n := range 20 {
		eng := enginetest.New(t, procession.WithGrace(grace))
		begin := time.Now()
		id := enginetest.Start(t, eng, procession.Spec{Command: "/bin/sh", Args: []string{file}})
		if n%2 == 0 { // wait for its leader
			enginetest.Wait(t, eng, id)
		} else {
			require.EventuallyWithT(t, func(c *assert.CollectT) {
				if info, err := eng.Info(testkit.Within(t), id); err == nil {
					assert.False(c, testkit.Alive(info.PID))
				}
			}, 10*time.Second, tick, "it runs away")
		}
		enginetest.Kill(t, eng, id)
		n, err := unix.Read(held, make([]byte, 1))
		took := time.Since(begin)
		require.NoError(t, err, "it runs on")
		require.Zero(t, n)
		assert.GreaterOrEqual(t, took, grace, "it was killed before its grace")
		leavesNothing(t, id)
	}
}

// What joins the group after the group got the stop signal has not had it. If it
// gets it between its fork and its exec, it loses it, because it still has the
// shell's trap then.
func TestAMemberThatComesLateIsToldToEnd(t *testing.T) {
	eng := enginetest.New(t)
	for _, trap := range []string{
		`sleep 60 >/dev/null 2>&1 & exit 0`,
		`sleep 60 >/dev/null 2>&1 & pause; exit 0`,
		`pause; sleep 60 >/dev/null 2>&1 & exit 0`,
	} {
		spec := procession.Shell(`pause() { n=0; while [ $n -lt 10 ]; do sleep 0.02; n=$((n+1)); done; }
			trap '` + trap + `' TERM; echo ready; while :; do sleep 0.02; done`)
		spec.Grace = 20 * time.Second
		id := enginetest.Start(t, eng, spec)
		_, err := eng.WaitFor(testkit.Within(t), id, ready)
		require.NoError(t, err)
		begin := time.Now()
		exit := enginetest.Kill(t, eng, id)
		took := time.Since(begin)
		require.True(t, exit.Success(), "%v", exit)
		assert.LessOrEqual(t, took, spec.Grace/2, trap)
		leavesNothing(t, id)
	}
}

//go:build linux

package faults

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
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
	eng := newEngine(t, procession.WithID(name))
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for i := caller; i < runs && !t.Failed(); i += 4 {
				one(eng, i)
			}
		})
	}
	callers.Wait()
	if left := marked(name); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestAForkingTreeEndsAfterItsLeader(t *testing.T) {
	many(t, 60, func(eng *procession.Engine, _ int) {
		ctx := soon(t)
		id, err := eng.Start(ctx, procession.Shell(oneStep))
		if err != nil {
			t.Error(err)
			return
		}
		if _, err := eng.Wait(ctx, id); err != nil {
			t.Error(err)
		}
		if _, err := eng.Kill(ctx, id); err != nil {
			t.Error(err)
		}
		leavesNothing(t, id)
	})
}

// varying is a time in which a tree grows, another for each run.
func varying(i int) time.Duration { return time.Duration(i%23) * 250 * time.Microsecond }

func TestAForkingTreeEndsWithKill(t *testing.T) {
	many(t, 60, func(eng *procession.Engine, i int) {
		ctx := soon(t)
		id, err := eng.Start(ctx, procession.Shell(chain))
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(varying(i))
		if _, err := eng.Kill(ctx, id); err != nil {
			t.Error(err)
		}
		leavesNothing(t, id)
	})
}

func TestAForkingTreeEndsWithRelease(t *testing.T) {
	many(t, 60, func(eng *procession.Engine, i int) {
		ctx := soon(t)
		id, err := eng.Start(ctx, procession.Shell([]string{oneStep, chain}[i%2]))
		if err != nil {
			t.Error(err)
			return
		}
		time.Sleep(varying(i))
		if err := eng.Release(ctx, id); err != nil {
			t.Error(err)
		}
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
		eng := newEngine(t, procession.WithID(name))
		for n := range 6 {
			start(t, eng, procession.Shell([]string{oneStep, chain}[n%2]))
		}
		time.Sleep(varying(i))
		if _, err := eng.Shutdown(soon(t)); err != nil {
			t.Fatal(err)
		}
		gone(t, marked(name)...)
	}
}

// A runaway does not listen, and is always somewhere else already. Each of it holds
// a pipe open, which tells whether it is there, wherever it is.
func TestARunawayEnds(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "runaway"), filepath.Join(dir, "pipe") // without the file it cannot go on
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	held, err := unix.Open(pipe, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(held)
	if err := os.WriteFile(file, []byte("exec >/dev/null 2>&1 3>"+pipe+"; trap '' TERM; setsid sh "+file+" & exit\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(file)
	const grace = 100 * time.Millisecond
	for n := range 20 {
		eng := newEngine(t, procession.WithGrace(grace))
		begin := time.Now()
		id := start(t, eng, procession.Spec{Command: "/bin/sh", Args: []string{file}})
		if n%2 == 0 { // wait for its leader
			if _, err := eng.Wait(soon(t), id); err != nil {
				t.Fatal(err)
			}
		} else {
			eventually(t, 10*time.Second, "it runs away", func() bool {
				i, err := eng.Info(soon(t), id)
				return err != nil || !alive(i.PID)
			})
		}
		if _, err := eng.Kill(soon(t), id); err != nil {
			t.Fatal(err)
		}
		if n, err := unix.Read(held, make([]byte, 1)); n != 0 || err != nil {
			t.Fatalf("it runs on: %v", err)
		}
		if took := time.Since(begin); took < grace {
			t.Errorf("it was killed after %v, before its grace", took)
		}
		leavesNothing(t, id)
	}
}

// What joins the group after the group got the stop signal has not had it. If it
// gets it between its fork and its exec, it loses it, because it still has the
// shell's trap then.
func TestAMemberThatComesLateIsToldToEnd(t *testing.T) {
	eng := newEngine(t)
	for _, trap := range []string{
		`sleep 60 >/dev/null 2>&1 & exit 0`,
		`sleep 60 >/dev/null 2>&1 & pause; exit 0`,
		`pause; sleep 60 >/dev/null 2>&1 & exit 0`,
	} {
		spec := procession.Shell(`pause() { n=0; while [ $n -lt 10 ]; do sleep 0.02; n=$((n+1)); done; }
			trap '` + trap + `' TERM; echo ready; while :; do sleep 0.02; done`)
		spec.Grace = 20 * time.Second
		id := start(t, eng, spec)
		if _, err := eng.WaitFor(soon(t), id, ready); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		if exit, err := eng.Kill(soon(t), id); err != nil || !exit.Success() {
			t.Fatalf("%v, %v", exit, err)
		}
		if took := time.Since(begin); took > spec.Grace/2 {
			t.Errorf("%s: Kill took %v", trap, took)
		}
		leavesNothing(t, id)
	}
}

//go:build linux

package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// A Kill that meets a Release, of a process whose descendants are left alive.

// A leader and a member of its group that write down what they hear, and end a
// while after.
const family = `
	say() { echo "$1" >>"$HEARD"; n=0; while [ $n -lt 10 ]; do sleep 0.02; n=$((n+1)); done; exit; }
	trap 'say leader' TERM
	(trap 'say child' TERM; echo ready; while :; do sleep 0.02; done) &
	while :; do sleep 0.02; done`

func TestAKillDuringAReleaseReachesTheWholeTreeOnce(t *testing.T) {
	for _, kills := range []int{1, 3} {
		eng := newEngine(t)
		file := filepath.Join(t.TempDir(), "heard")
		heard := func() string {
			text, _ := os.ReadFile(file)
			return string(text)
		}
		spec := procession.Shell(family)
		spec.LeaveDescendants, spec.Grace, spec.Env = true, 20*time.Second, map[string]string{"HEARD": file}
		id := start(t, eng, spec)
		if _, err := eng.WaitFor(soon(t), id, ready); err != nil {
			t.Fatal(err)
		}
		done := make(chan error)
		go func() { done <- eng.Release(soon(t), id) }()
		eventually(t, 10*time.Second, "the leader is released", func() bool { return heard() == "leader\n" })
		begin := time.Now()
		for range kills {
			go func() {
				_, err := eng.Kill(soon(t), id)
				done <- err
			}()
		}
		for range 1 + kills {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
		leavesNothing(t, id)
		if took := time.Since(begin); took > spec.Grace/2 {
			t.Errorf("%d kills took %v", kills, took)
		}
		if heard() != "leader\nchild\n" {
			t.Errorf("after %d kills, who has heard TERM is %q", kills, heard())
		}
	}
}

// What is left alive ignores TERM, so that a Kill of it takes the grace.
func leaveDeaf(t *testing.T, eng *procession.Engine) (id string, descendant int) {
	t.Helper()
	spec := procession.Shell(`(trap '' TERM; exec sleep 1000 >/dev/null 2>&1) & echo $!`)
	spec.LeaveDescendants, spec.Grace = true, 300*time.Millisecond
	id = start(t, eng, spec)
	if _, err := eng.Wait(soon(t), id); err != nil {
		t.Fatal(err)
	}
	descendant = pids(t, eng, id, 1)[0]
	eventually(t, 10*time.Second, "the shell, its trap set, has made way for sleep", func() bool {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", descendant))
		return string(name) == "sleep\n"
	})
	return id, descendant
}

func TestAKillOfWhatWasLeftIsNotCutShort(t *testing.T) {
	for name, interrupt := range map[string]func(eng *procession.Engine, id string){
		"by a release": func(eng *procession.Engine, id string) {
			if err := eng.Release(soon(t), id); err != nil {
				t.Error(err)
			}
		},
		"by retention": func(eng *procession.Engine, _ string) {
			start(t, eng, procession.Spec{Command: "true"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			eng := newEngine(t, procession.WithRetention(1, 0))
			id, descendant := leaveDeaf(t, eng)
			killed := make(chan error, 1)
			go func() {
				exit, err := eng.Kill(soon(t), id)
				if err == nil && !exit.Success() {
					t.Errorf("%v", exit)
				}
				if alive(descendant) {
					t.Error("Kill has returned, and the descendant is alive")
				}
				killed <- err
			}()
			// A request that is handled after the Kill: by then it is under way, or done.
			if _, err := eng.List(soon(t)); err != nil {
				t.Fatal(err)
			}
			interrupt(eng, id)
			if err := <-killed; err != nil {
				t.Error(err)
			}
			gone(t, descendant)
		})
	}
}

// What comes after a Release, of the same sender, is about an ID that means nothing.
func TestAKillAfterAReleaseOfWhatWasLeft(t *testing.T) {
	eng := newEngine(t)
	for range 10 {
		id, _ := leaveDeaf(t, eng)
		root := eng.System().Root
		released := root.RequestFuture(eng.Pool(), &messages.ReleaseProcess{ID: id}, 30*time.Second)
		killed := root.RequestFuture(eng.Pool(), &messages.KillProcess{ID: id}, 30*time.Second)
		if answer, err := released.Result(); err != nil {
			t.Fatalf("%v, %v", answer, err)
		}
		answer, err := killed.Result()
		if refusal, ok := answer.(*messages.Error); !ok || refusal.Code != messages.CodeNotFound {
			t.Fatalf("%v, %v", answer, err)
		}
	}
}

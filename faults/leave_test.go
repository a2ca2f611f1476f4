//go:build linux

package faults

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// A Kill that meets a Release, of a process whose descendants are left alive.

// A leader and a member of its group that write down what they hear, and end when
// they may.
const family = `
	say() { echo "$1" >>"$HEARD"; until [ -e "$HEARD.end" ]; do sleep 0.02; done; exit; }
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
		root := eng.System().Root
		answers := []*actor.Future{root.RequestFuture(eng.Pool(), &messages.ReleaseProcess{ID: id}, time.Minute)}
		eventually(t, 10*time.Second, "the leader is released", func() bool { return heard() == "leader\n" })
		begin := time.Now()
		for range kills {
			answers = append(answers, root.RequestFuture(eng.Pool(), &messages.KillProcess{ID: id}, time.Minute))
		}
		if _, err := eng.List(soon(t)); err != nil { // which comes after the kills, having the same sender
			t.Fatal(err)
		}
		eventually(t, 10*time.Second, "the child is killed", func() bool { return heard() == "leader\nchild\n" })
		if err := os.WriteFile(file+".end", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, future := range answers {
			answer, err := future.Result()
			if refusal, ok := answer.(*messages.Error); ok || err != nil {
				t.Error(refusal, err)
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
	becomesSleep(t, descendant) // the shell, its trap set, has made way for it
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
			// What the interruption sends comes after this, having the same sender.
			killed := eng.System().Root.RequestFuture(eng.Pool(), &messages.KillProcess{ID: id}, 30*time.Second)
			interrupt(eng, id)
			answer, err := killed.Result()
			if err != nil {
				t.Fatal(err)
			}
			if exit, ok := answer.(*messages.Exit); !ok || !exit.Success() {
				t.Errorf("%#v", answer)
			}
			if alive(descendant) {
				t.Error("Kill has been answered, and the descendant is alive")
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

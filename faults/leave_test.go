//go:build linux

package faults

import (
	"os"
	"path/filepath"
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
		eng := enginetest.New(t)
		file := filepath.Join(t.TempDir(), "heard")
		heard := func() string {
			text, _ := os.ReadFile(file)
			return string(text)
		}
		spec := procession.Shell(family)
		spec.LeaveDescendants, spec.Grace, spec.Env = true, 20*time.Second, map[string]string{"HEARD": file}
		id := enginetest.Start(t, eng, spec)
		_, err := eng.WaitFor(testkit.Within(t), id, ready)
		require.NoError(t, err)
		root := eng.System().Root
		answers := []*actor.Future{root.RequestFuture(eng.Pool(), &messages.ReleaseProcess{ID: id}, time.Minute)}
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, "leader\n", heard())
		}, 10*time.Second, tick, "the leader is released")
		begin := time.Now()
		for range kills {
			answers = append(answers, root.RequestFuture(eng.Pool(), &messages.KillProcess{ID: id}, time.Minute))
		}
		_, err = eng.List(testkit.Within(t)) // which comes after the kills, having the same sender
		require.NoError(t, err)
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			assert.Equal(c, "leader\nchild\n", heard())
		}, 10*time.Second, tick, "the child is killed")
		require.NoError(t, os.WriteFile(file+".end", nil, 0o600))
		for _, future := range answers {
			answer, err := future.Result()
			assert.NoError(t, err)
			assert.IsNotType(t, &messages.Error{}, answer)
		}
		leavesNothing(t, id)
		assert.LessOrEqual(t, time.Since(begin), spec.Grace/2, "%d kills", kills)
		assert.Equal(t, "leader\nchild\n", heard(), "who has heard TERM after %d kills", kills)
	}
}

// What is left alive ignores TERM, so that a Kill of it takes the grace.
func leaveDeaf(t *testing.T, eng *procession.Engine) (id string, descendant int) {
	t.Helper()
	spec := procession.Shell(`(trap '' TERM; exec sleep 1000 >/dev/null 2>&1) & echo $!`)
	spec.LeaveDescendants, spec.Grace = true, 300*time.Millisecond
	id = enginetest.Start(t, eng, spec)
	enginetest.Wait(t, eng, id)
	descendant = pids(t, eng, id, 1)[0]
	becomesSleep(t, descendant) // the shell, its trap set, has made way for it
	return id, descendant
}

func TestAKillOfWhatWasLeftIsNotCutShort(t *testing.T) {
	for name, interrupt := range map[string]func(eng *procession.Engine, id string){
		"by a release": func(eng *procession.Engine, id string) {
			assert.NoError(t, eng.Release(testkit.Within(t), id))
		},
		"by retention": func(eng *procession.Engine, _ string) {
			enginetest.Start(t, eng, procession.Spec{Command: "true"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			eng := enginetest.New(t, procession.WithRetention(1, 0))
			id, descendant := leaveDeaf(t, eng)
			// What the interruption sends comes after this, having the same sender.
			killed := eng.System().Root.RequestFuture(eng.Pool(), &messages.KillProcess{ID: id}, 30*time.Second)
			interrupt(eng, id)
			answer, err := killed.Result()
			require.NoError(t, err)
			haveEnded(t, descendant)
			require.IsType(t, &messages.Exit{}, answer)
			assert.True(t, answer.(*messages.Exit).Success(), "%v", answer)
		})
	}
}

// What comes after a Release, of the same sender, is about an ID that means nothing.
func TestAKillAfterAReleaseOfWhatWasLeft(t *testing.T) {
	eng := enginetest.New(t)
	for range 10 {
		id, _ := leaveDeaf(t, eng)
		root := eng.System().Root
		released := root.RequestFuture(eng.Pool(), &messages.ReleaseProcess{ID: id}, 30*time.Second)
		killed := root.RequestFuture(eng.Pool(), &messages.KillProcess{ID: id}, 30*time.Second)
		_, err := released.Result()
		require.NoError(t, err)
		answer, err := killed.Result()
		require.NoError(t, err)
		require.IsType(t, &messages.Error{}, answer)
		require.Equal(t, messages.CodeNotFound, answer.(*messages.Error).Code)
	}
}

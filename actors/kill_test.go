package actors

import (
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

func TestHowAKillWantsItsEnd(t *testing.T) {
	t.Parallel()
	now := time.Now()
	spec := messages.Spec{Grace: time.Second, StopSignal: syscall.SIGINT}
	for name, test := range map[string]struct {
		options messages.KillOptions
		want    supervisor.Stop
	}{
		"as its Spec says":      {messages.KillOptions{}, supervisor.Stop{Signal: syscall.SIGINT, Deadline: now.Add(time.Second)}},
		"a grace":               {messages.KillOptions{Grace: time.Minute}, supervisor.Stop{Signal: syscall.SIGINT, Deadline: now.Add(time.Minute)}},
		"a signal":              {messages.KillOptions{Signal: syscall.SIGHUP}, supervisor.Stop{Signal: syscall.SIGHUP, Deadline: now.Add(time.Second)}},
		"at once":               {messages.KillOptions{Grace: -1}, supervisor.Stop{Signal: syscall.SIGINT, Deadline: now}},
		"at once, from the far": {messages.KillOptions{Grace: math.MinInt64}, supervisor.Stop{Signal: syscall.SIGINT, Deadline: now}},
		"the longest grace":     {messages.KillOptions{Grace: math.MaxInt64}, supervisor.Stop{Signal: syscall.SIGINT, Deadline: now.Add(math.MaxInt64 / 2)}},
	} {
		stop := killStop(spec, test.options, now)
		require.Equal(t, test.want, stop, name)
		due, _ := stop.Next(now)
		require.Equal(t, test.options.Grace < 0, due == syscall.SIGKILL, name)
	}
}

// deaf is a tree of those that hear nothing: the leader, one in a session of its own, and an
// orphan.
const deaf = `trap '' TERM INT HUP; setsid sh -c 'while :; do sleep 1000; done' & (setsid sleep 1000 &); echo up; while :; do sleep 1000; done`

func TestAKillAtOnceOvertakesAGentleOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := messages.Shell(deaf)
	spec.Grace = time.Hour
	id := r.start(spec)
	r.awaitText(id, "up")
	gentle := r.later(&messages.KillProcess{ID: id})
	longer := r.later(&messages.KillProcess{ID: id, KillOptions: messages.KillOptions{Grace: 2 * time.Hour}})
	require.Equal(t, messages.Stopping, r.info(id).State)
	exit := ask[*messages.Exit](r, &messages.KillProcess{ID: id, KillOptions: messages.KillOptions{Grace: -1}})
	require.Equal(t, "SIGKILL", exit.Signal)
	require.Equal(t, messages.CauseKilled, exit.Cause)
	require.Equal(t, exit, r.result(gentle))
	require.Equal(t, exit, r.result(longer))
	require.Empty(t, testkit.Marked(r.engine))
}

func TestAKillByWhatIsNoSignalIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.start(messages.Shell("exec sleep 1000"))
	for _, sig := range []syscall.Signal{-1, 65, math.MaxInt32} {
		refusal := ask[*messages.Error](r, &messages.KillProcess{ID: id, KillOptions: messages.KillOptions{Signal: sig}})
		require.ErrorIs(t, refusal, messages.ErrInvalidRequest)
	}
	require.Equal(t, messages.Running, r.info(id).State)
}

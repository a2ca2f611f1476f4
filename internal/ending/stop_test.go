package ending

import (
	"math"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func in(d time.Duration) Stop { return Stop{syscall.SIGTERM, begun.Add(d)} }

func TestWhatIsDue(t *testing.T) {
	for name, test := range map[string]struct {
		stop  Stop
		due   syscall.Signal
		after time.Duration
	}{
		"before the deadline": {Stop{syscall.SIGTERM, begun.Add(5)}, syscall.SIGTERM, 5},
		"at the deadline":     {Stop{syscall.SIGTERM, begun}, syscall.SIGKILL, 0},
		"after the deadline":  {Stop{syscall.SIGINT, begun.Add(-1)}, syscall.SIGKILL, 0},
		"nothing is stronger": {Stop{syscall.SIGKILL, begun.Add(5)}, syscall.SIGKILL, 0},
		"without a deadline":  {Stop{Signal: syscall.SIGTERM}, syscall.SIGKILL, 0},
	} {
		due, after := test.stop.Next(begun)
		require.Equal(t, test.due, due, name)
		require.Equal(t, test.after, after, name)
	}
}

func TestAStopIsNeverPostponed(t *testing.T) {
	early, late := Stop{syscall.SIGTERM, begun}, Stop{syscall.SIGINT, begun.Add(1)}
	require.Equal(t, early, early.Sooner(late))
	require.Equal(t, Stop{syscall.SIGINT, begun}, late.Sooner(early))
}

func TestTheDeadlineOnlyComesNearer(t *testing.T) {
	var c Course
	require.False(t, c.Begun())
	require.Equal(t, syscall.SIGTERM, c.Ask(in(10*time.Second), begun))
	require.Zero(t, c.Ask(in(time.Minute), begun.Add(time.Second)), "later, and no second signal")
	require.Equal(t, 9*time.Second, c.Left(begun.Add(time.Second)))
	require.Zero(t, c.Ask(in(5*time.Second), begun.Add(time.Second)), "sooner")
	require.Equal(t, 4*time.Second, c.Left(begun.Add(time.Second)))
	require.Zero(t, c.Pass(begun.Add(5*time.Second-1)))
	require.Zero(t, c.Ask(in(5*time.Second), begun.Add(6*time.Second)), "the timer comes late, and is to look first")
	require.Equal(t, syscall.SIGKILL, c.Pass(begun.Add(5*time.Second)))
	require.Zero(t, c.Pass(begun.Add(6*time.Second)), "once")
	require.True(t, c.Killing())
	require.Zero(t, c.Left(begun))
	require.Zero(t, c.UntilHalf(begun))
}

func TestAStopThatGivesNoTime(t *testing.T) {
	for name, stop := range map[string]Stop{
		"now": Now, "by SIGKILL": {syscall.SIGKILL, begun.Add(time.Hour)}, "in the past": in(-time.Second), "at this moment": in(0),
	} {
		var c Course
		require.Equal(t, syscall.SIGKILL, c.Ask(stop, begun), name)
		var gently Course
		gently.Ask(in(time.Minute), begun)
		require.Equal(t, syscall.SIGKILL, gently.Ask(stop, begun), "%s, after another", name)
	}
}

func TestTheLongestGrace(t *testing.T) {
	var c Course
	require.Equal(t, syscall.SIGTERM, c.Ask(Stop{syscall.SIGTERM, begun.Add(math.MaxInt64)}, begun))
	require.Positive(t, c.Left(begun.Add(time.Hour)))
	require.Positive(t, c.UntilHalf(begun.Add(time.Hour)))
	require.Zero(t, c.Pass(begun.Add(24*time.Hour)))
}

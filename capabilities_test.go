//go:build linux

package procession_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

func TestCapabilitiesTellWhatHoldsHere(t *testing.T) {
	e := newEngine(t)
	c := e.Capabilities()
	require.Equal(t, messages.ContainmentMarks, c.Containment)
	require.False(t, c.Guarded, "nobody asked for a guardian")
	require.Empty(t, c.Controllers)
	switch c.Start {
	case messages.StartScript:
		require.Contains(t, []string{"amd64", "arm64"}, runtime.GOARCH)
	case messages.StartPlain:
		require.Contains(t, c.Reason, "no start by a script")
	default:
		t.Errorf("Start is %q", c.Start)
	}
	answer, err := e.System().Root.RequestFuture(e.Pool(), &messages.GetCapabilities{}, patience).Result()
	require.NoError(t, err)
	require.Equal(t, &c, answer, "by message it is the same")
}

func TestAnEngineThatHasEndedIsCapableOfNothing(t *testing.T) {
	e := newEngine(t)
	_, err := e.Shutdown(within(t))
	require.NoError(t, err)
	c := e.Capabilities()
	require.NotEmpty(t, c.Reason)
	c.Reason = ""
	require.Equal(t, procession.Capabilities{}, c)
}

// The leader of each incarnation leads a session, and so its group, which it cannot
// leave.
func TestEveryLeaderLeadsASession(t *testing.T) {
	e := newEngine(t)
	for _, spec := range []procession.Spec{
		procession.Shell(`ps -o sid=,pgid= -p $$; exit 1`),
		{Command: "sh", Args: []string{"-c", `ps -o sid=,pgid= -p $$; exit 1`}, PTY: &procession.Size{Rows: 24, Cols: 80}},
	} {
		spec.Restart = procession.Policy{When: procession.OnFailure, MaxRestarts: 2, MinBackoff: time.Millisecond}
		id := start(t, e, spec)
		_, err := e.Wait(within(t), id)
		require.NoError(t, err)
		require.Equal(t, 2, info(t, e, id).Restarts)
		out, err := e.Output(within(t), id)
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(out.Stdout()), "\n")
		require.Len(t, lines, 3)
		own, err := unix.Getsid(0)
		require.NoError(t, err)
		for _, line := range lines {
			fields := strings.Fields(line)
			require.Equal(t, fields[0], fields[1], "its group is its session's: %s", line)
			require.NotEqual(t, strconv.Itoa(own), fields[0], "its session is not the engine's")
		}
	}
}

package actors

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/messages"
)

// That a process has settled may be told before its actor knows of the release, and arrive
// after the release was asked for: a Kill of what was left alive is still under way then.
func TestAReleaseWaitsForAKillOfWhatWasLeftAlive(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	spec := messages.Shell(`
		exec >"$TOLD"; setsid sh -c 'trap "echo heard; sleep 0.2; echo done; exit" TERM; echo on; while :; do sleep 0.05; done' &
		until [ -s "$TOLD" ]; do sleep 0.02; done`)
	told := filepath.Join(t.TempDir(), "told")
	read := func() string {
		text, _ := os.ReadFile(told)
		return string(text)
	}
	spec.LeaveDescendants, spec.Env = true, map[string]string{"TOLD": told}
	id := r.start(spec)
	ask[*messages.Exit](r, &messages.WaitExit{ID: id})
	r.awaitState(id, messages.Exited) // the pool knows

	kill := r.later(&messages.KillProcess{ID: id})
	testkit.Eventually(t, func(c *assert.CollectT) { assert.Contains(c, read(), "heard") })
	release := r.later(&messages.ReleaseProcess{ID: id})
	r.system.Root.Send(r.pool, &processSettled{id: id})
	require.IsType(t, &messages.Exit{}, r.result(kill))
	require.IsType(t, &messages.Released{}, r.result(release))
	require.Equal(t, "on\nheard\ndone\n", read())
}

package osproc

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/testkit"
)

// A look that comes late finds the next incarnation, which has the same ID.
func TestATreeThatIsOverEndsNobody(t *testing.T) {
	t.Parallel()
	h := basicHost(t)
	first := startWatched(t, h, Command{ID: "again", Path: "/bin/sh", Args: []string{"-c", "sleep 1000 & echo; wait"}})
	first.awaitOutput()
	over := first.tree()
	first.Stop(gently())
	first.finish()

	second := startWatched(t, h, Command{ID: "again", Path: "/bin/sh", Args: []string{"-c", "sleep 1000 & echo $!; wait; echo woken"}})
	second.awaitOutput()
	looked := make(chan struct{})
	over.await(func() { close(looked) })
	select {
	case <-looked:
	case <-time.After(testkit.Patience):
		require.Fail(t, "the look found somebody")
	}
	require.Equal(t, 0, over.members.count())

	second.Stop(gently())
	_, text := second.finish()
	require.NotContains(t, text, "woken")
}

func (w *watched) awaitOutput() {
	w.t.Helper()
	if !w.log.Await(0) {
		until[*OutputReady](w)
	}
}

// Who was found in the group, before the stop began, may have left it meanwhile.
func TestWhoHasLeftTheGroupHearsTheSignal(t *testing.T) {
	t.Parallel()
	testkit.Needs(t, "setsid")
	w := startWatched(t, basicHost(t), Command{
		Path: "/bin/sh", Args: []string{"-c", `sh -c "$STAYS" & wait`},
		Env: map[string]string{
			"STAYS": `trap 'exec setsid sh -c "$LEFT"' USR1; echo $$; sleep 1000 & wait`,
			"LEFT":  `trap 'echo heard; exit' TERM; echo left; sleep 1000 & wait`,
		},
	})
	w.awaitOutput()
	var member int
	_, err := fmt.Sscan(w.text(), &member)
	require.NoError(t, err)
	tree := w.tree()
	tree.await(func() {})
	testkit.Eventually(t, func(c *assert.CollectT) { assert.True(c, tree.has(member), "%d is not found", member) })

	require.NoError(t, syscall.Kill(member, syscall.SIGUSR1))
	testkit.Eventually(t, func(c *assert.CollectT) { assert.Contains(c, w.text(), "left") })
	w.Stop(gently())
	testkit.Eventually(t, func(c *assert.CollectT) { assert.Contains(c, w.text(), "heard") })
	w.Stop(ending.Now)
	w.finish()
}

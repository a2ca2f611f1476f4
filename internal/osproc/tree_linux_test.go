package osproc

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
	case <-time.After(basicPatience):
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

package testkit

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// NoneMarked waits until none is alive of what an engine of that ID has started.
func NoneMarked(t testing.TB, engine string) {
	t.Helper()
	Eventually(t, func(c *assert.CollectT) {
		assert.Empty(c, Marked(engine), "processes are left")
	})
}

package testkit

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Patience is how long a test waits for what must happen: the machine may be busy.
const Patience = 30 * time.Second

// tick is how often Eventually looks.
const tick = 2 * time.Millisecond

// Within is a context that ends with the test, or when its patience does.
func Within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	t.Cleanup(cancel)
	return ctx
}

// Eventually waits until facts that nobody tells of hold: those of the system outside. It
// calls holds on a goroutine of its own, again and again, and stops the test if its
// assertions fail still when the patience ends; they are what is reported then.
func Eventually(t testing.TB, holds func(c *assert.CollectT), msgAndArgs ...any) {
	t.Helper()
	require.EventuallyWithT(t, holds, Patience, tick, msgAndArgs...)
}

// Gone waits until none of some processes is alive.
func Gone(t testing.TB, pids ...int) {
	t.Helper()
	Eventually(t, func(c *assert.CollectT) {
		for _, pid := range pids {
			assert.False(c, Alive(pid), "process %d is alive", pid)
		}
	})
}

package actors

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/messages"
)

// An attempt over the network is not waited for as long as the probe is; one of a
// command is.
func TestHowLongAnAttemptMayTake(t *testing.T) {
	a := attempts{spec: messages.Probe{TCP: "localhost:1", HTTP: "http://localhost:1/", Exec: []string{"true", "x y"}}}
	conditions := a.conditions()
	require.Len(t, conditions, 3)
	for i, want := range []struct {
		name string
		most time.Duration
	}{{"localhost:1", maxAnswer}, {"http://localhost:1/", maxAnswer}, {`["true" "x y"]`, 0}} {
		c := conditions[i]
		c.try = func(ctx context.Context) error {
			deadline, bounded := ctx.Deadline()
			assert.Equal(t, want.most > 0, bounded, "%s is bounded", c.name)
			if bounded {
				left := time.Until(deadline)
				assert.LessOrEqual(t, left, want.most, c.name)
				assert.GreaterOrEqual(t, left, want.most/2, c.name)
			}
			return nil
		}
		assert.NoError(t, c.attempt(context.Background()), c.name)
		assert.Equal(t, want.name, c.name)
	}
}

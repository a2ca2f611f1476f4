package local

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
)

func TestWaitingText(t *testing.T) {
	now := time.Now()
	a, b := procession.Info{Name: "a", KillAt: now.Add(1500 * time.Millisecond)}, procession.Info{Name: "b", KillAt: now.Add(-time.Second)}
	assert.Equal(t, "stopping; Ctrl-C again to kill", waitingText(nil, now))
	assert.Equal(t, "waiting for a (at most 1.5s) to end; Ctrl-C again to kill", waitingText([]procession.Info{a}, now))
	assert.Equal(t, "waiting for a (at most 1.5s), b (at most 0s) to end; Ctrl-C again to kill", waitingText([]procession.Info{a, b}, now))
}

package mcpserver

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// its reports whether it is a call's turn.
func its(p *place) bool {
	return p.before == nil || isClosed(p.before)
}

func TestPlaces(t *testing.T) {
	var q queues
	first, second, third := q.join("p"), q.join("p"), q.join("p")
	other := q.join("another")
	require.True(t, its(first))
	require.True(t, its(other), "another process")
	require.False(t, its(second))
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, second.wait(ended), context.Canceled)

	first.begin()
	require.True(t, its(second), "the one before need not end")
	require.NoError(t, second.wait(context.Background()))
	require.False(t, its(third))
	second.end()
	require.True(t, its(third))
	for _, p := range []*place{first, third, other, other} {
		p.end()
	}
	require.Empty(t, q.of)
}

// A call that was given up before its turn leaves the others in order.
func TestPlacesGivenUp(t *testing.T) {
	var q queues
	first, second, third := q.join("p"), q.join("p"), q.join("p")
	second.end()
	require.False(t, its(third))
	first.end()
	require.NoError(t, third.wait(testkit.Within(t)))
	third.end()
	require.Empty(t, q.of)
}

func TestNoPlace(t *testing.T) {
	var p *place
	p.begin()
	p.end()
	require.NoError(t, p.wait(context.Background()))
}

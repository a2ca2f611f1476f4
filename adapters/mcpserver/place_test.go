package mcpserver

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
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
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	return (p.before == nil || isClosed(p.before)) && (p.unwritten == nil || isClosed(p.unwritten)) && p.wait(context.Background()) == nil ||
		p.wait(ended) == nil
}

func TestPlaces(t *testing.T) {
	var q queues
	first, second, kill := q.join("p", true), q.join("p", true), q.join("p", false)
	other := q.join("another", true)
	require.True(t, its(first))
	require.True(t, its(other), "another process")
	require.False(t, its(second))
	require.False(t, its(kill))

	first.begin()
	require.False(t, its(second), "the input before it was not written")
	require.False(t, its(kill), "what came before it has not begun")

	first.end()
	require.True(t, its(second))
	second.begin()
	require.True(t, its(kill), "it does not wait for input to be written")
	third := q.join("p", true)
	kill.begin()
	require.False(t, its(third), "the second is not written")
	second.end()
	require.True(t, its(third))
	for _, p := range []*place{kill, third, other, other} {
		p.end()
	}
	require.Empty(t, q.of)
}

// A call that was given up before its turn leaves the others in order.
func TestPlacesGivenUp(t *testing.T) {
	var q queues
	first, second, third := q.join("p", true), q.join("p", true), q.join("p", true)
	second.end()
	require.False(t, its(third))
	first.end()
	require.NoError(t, third.wait(within30(t)))
	third.end()
	require.Empty(t, q.of)
}

func TestNoPlace(t *testing.T) {
	var p *place
	p.begin()
	p.end()
	require.NoError(t, p.wait(context.Background()))
}

package actors

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// A queue is a slice, and keeps no more memory than it needs.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q queue
		var want []int
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				for range rapid.IntRange(1, 200).Draw(t, "so many") {
					q.push(next)
					want = append(want, next)
					next++
				}
			},
			"pop": func(t *rapid.T) {
				for range rapid.IntRange(1, 200).Draw(t, "so many") {
					if len(want) == 0 {
						return
					}
					require.Equal(t, want[0], q.first())
					require.Equal(t, want[0], q.pop())
					want = want[1:]
				}
			},
			"": func(t *rapid.T) {
				require.Equal(t, len(want), q.count())
				if len(want) == 0 {
					require.LessOrEqual(t, cap(q.waiting), maxKept)
				}
			},
		})
	})
}

// What always holds something does not grow.
func TestAQueueThatIsNeverEmpty(t *testing.T) {
	var q queue
	q.push(0)
	for n := range 100_000 {
		q.push(n + 1)
		require.Equal(t, n, q.pop())
	}
	require.LessOrEqual(t, cap(q.waiting), 16)
}

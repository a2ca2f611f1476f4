package mcpserver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit"
)

func TestBudget(t *testing.T) {
	var b budgets
	most := costOf(MaxTextLimit)
	require.Equal(t, int64(budgetShare), most)
	require.Equal(t, int64(leastCost), costOf(0))
	require.LessOrEqual(t, costOf(DefaultTextLimit), int64(smallCost))
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()

	require.NoError(t, b.take(testkit.Within(t), "a", most))
	require.ErrorIs(t, b.take(short, "a", smallCost+1), context.DeadlineExceeded, "more than its share")
	require.NoError(t, b.take(testkit.Within(t), "b", most), "another session has one, too")
	require.ErrorIs(t, b.take(short, "c", smallCost+1), context.DeadlineExceeded, "all is taken")
	require.NoError(t, b.take(testkit.Within(t), "c", smallCost), "but that of small answers")
	require.NoError(t, b.take(testkit.Within(t), "a", smallCost))
	b.give("b", most)
	require.NoError(t, b.take(testkit.Within(t), "c", most))
	require.Equal(t, most-1, b.shrink("c", most, most-1))
	require.Equal(t, most-1, b.shrink("c", most-1, most), "it does not grow")
	require.Equal(t, int64(smallCost+1), b.shrink("c", most-1, 1), "it stays a large one")
	require.NoError(t, b.take(testkit.Within(t), "c", most-smallCost-1), "what it gave back")
	b.give("c", smallCost+1)
	b.give("c", most-smallCost-1)
	require.NoError(t, b.take(testkit.Within(t), "c", most), "all of it")
	for _, session := range []string{"a", "c"} {
		b.give(session, most)
		b.give(session, smallCost)
		b.give(session, 0)
	}
	require.Empty(t, b.large.sessions)
	require.Empty(t, b.small.sessions)
}

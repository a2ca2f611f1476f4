package mcpserver

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestBudget(t *testing.T) {
	var b budget
	most := costOf(MaxTextLimit)
	require.LessOrEqual(t, most, int64(budgetShare))
	require.Equal(t, int64(leastCost), costOf(0))
	short, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()

	require.NoError(t, b.take(within30(t), "a", budgetShare))
	require.ErrorIs(t, b.take(short, "a", 1), context.DeadlineExceeded, "more than its share")
	require.NoError(t, b.take(within30(t), "b", budgetShare), "another session has one, too")
	require.ErrorIs(t, b.take(short, "c", 1), context.DeadlineExceeded, "all is taken")
	b.give("b", budgetShare)
	require.NoError(t, b.take(within30(t), "c", budgetShare))
	b.give("a", budgetShare)
	b.give("c", budgetShare)
	b.give("c", 0)
	require.Empty(t, b.sessions)
}

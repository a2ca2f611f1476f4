package mcpserver

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// What answers under way may take of the memory, over all calls and sessions. An answer of a
// size is several times in memory before it is written: as texts, as structured content, and
// encoded twice.
const (
	budgetBytes  = 12 << 20        // besides the one that is being made
	budgetShare  = budgetBytes / 2 // of one session, so that one that reads nothing leaves room
	bytesForByte = 12              // of text
	leastCost    = 16 << 10

	// What small answers may take is theirs alone: they do not wait behind large ones that
	// nobody reads.
	smallCost   = 1 << 20
	smallBudget = 12 << 20
	smallShare  = smallBudget / 4
)

// costOf returns what an answer of so many bytes of text is taken to need.
func costOf(text int) int64 { return min(max(int64(text)*bytesForByte, leastCost), budgetShare) }

// budgets are those of large answers and of small ones.
type budgets struct{ large, small budget }

func (b *budgets) of(n int64) (which *budget, bytes, share int64) {
	if n <= smallCost {
		return &b.small, smallBudget, smallShare
	}
	return &b.large, budgetBytes, budgetShare
}

// take waits until there is room for n bytes, in the order in which it was asked for.
func (b *budgets) take(ctx context.Context, session string, n int64) error {
	which, bytes, share := b.of(n)
	return which.take(ctx, session, n, bytes, share)
}

// give gives n bytes back that were taken; 0 is none.
func (b *budgets) give(session string, n int64) {
	if n > 0 {
		which, _, _ := b.of(n)
		which.give(session, n)
	}
}

// shrink gives back what is more than needed of n bytes that were taken for a large answer,
// and returns how many remain.
func (b *budgets) shrink(session string, n, needed int64) (remain int64) {
	if needed = max(needed, smallCost+1); needed >= n {
		return n
	}
	b.large.shrink(session, n-needed)
	return needed
}

// budget is what is left of one. The zero budget is whole.
type budget struct {
	once sync.Once
	all  *semaphore.Weighted

	mu       sync.Mutex
	sessions map[string]*share
}

// share is a session's, as long as a call of it holds or waits for something.
type share struct {
	left  *semaphore.Weighted
	users int
}

func (b *budget) take(ctx context.Context, session string, n, bytes, most int64) error {
	b.once.Do(func() { b.all = semaphore.NewWeighted(bytes) })
	own := b.join(session, most)
	if err := own.left.Acquire(ctx, n); err != nil {
		b.leave(session)
		return err
	}
	if err := b.all.Acquire(ctx, n); err != nil {
		own.left.Release(n)
		b.leave(session)
		return err
	}
	return nil
}

func (b *budget) give(session string, n int64) {
	b.shrink(session, n)
	b.leave(session)
}

func (b *budget) shrink(session string, n int64) {
	b.all.Release(n)
	b.mu.Lock()
	own := b.sessions[session]
	b.mu.Unlock()
	own.left.Release(n)
}

func (b *budget) join(session string, most int64) *share {
	b.mu.Lock()
	defer b.mu.Unlock()
	own := b.sessions[session]
	if own == nil {
		own = &share{left: semaphore.NewWeighted(most)}
		if b.sessions == nil {
			b.sessions = map[string]*share{}
		}
		b.sessions[session] = own
	}
	own.users++
	return own
}

func (b *budget) leave(session string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if own := b.sessions[session]; own.users == 1 {
		delete(b.sessions, session)
	} else {
		own.users--
	}
}

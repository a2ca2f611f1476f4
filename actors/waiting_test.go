package actors

import (
	"fmt"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// plainly is waiting as one would write it.
type plainly []waiter[int]

func (l *plainly) remove(asker *actor.PID) (removed []int) {
	*l = slices.DeleteFunc(*l, func(w waiter[int]) bool {
		if !isThe(asker, w.asker) {
			return false
		}
		removed = append(removed, w.what)
		return true
	})
	return removed
}

func TestWaiting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var w waiting[int]
		var plain plainly
		whose := rapid.Custom(func(t *rapid.T) *actor.PID {
			if n := rapid.IntRange(0, 60).Draw(t, "asker"); n > 0 {
				return actor.NewPID("here", fmt.Sprint(n)) // equal, and not the same
			}
			return nil
		})
		n := 0
		add := func(t *rapid.T) {
			asker := whose.Draw(t, "asker")
			w.add(asker, n)
			plain = append(plain, waiter[int]{asker, n})
			n++
		}
		t.Repeat(map[string]func(*rapid.T){
			"add":  add,
			"many": func(t *rapid.T) { add(t); add(t); add(t); add(t) },
			"remove": func(t *rapid.T) {
				if asker := whose.Draw(t, "asker"); asker != nil {
					require.Equal(t, plain.remove(asker), w.remove(asker))
				}
			},
			"has": func(t *rapid.T) {
				if asker := whose.Draw(t, "asker"); asker != nil {
					there := slices.ContainsFunc(plain, func(p waiter[int]) bool { return isThe(asker, p.asker) })
					require.Equal(t, there, w.has(asker))
				}
			},
			"next": func(t *rapid.T) {
				asker, what, ok := w.next()
				require.Equal(t, len(plain) > 0, ok)
				if ok {
					require.Equal(t, plain[0], waiter[int]{asker, what})
					plain = plain[1:]
				}
			},
			"keep": func(t *rapid.T) {
				of := rapid.IntRange(2, 5).Draw(t, "of")
				keeps := func(n int) bool { return n%of > 0 }
				w.keep(keeps)
				plain = slices.DeleteFunc(plain, func(w waiter[int]) bool { return !keeps(w.what) })
			},
			"": func(t *rapid.T) { require.Equal(t, len(plain), w.count()) },
		})
		all := w.take()
		require.Equal(t, len(plain), len(all))
		for i := range plain {
			assert.Equal(t, plain[i], all[i])
		}
		assert.Zero(t, w.count())
	})
}

package ending

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// body is a process of the model: it knows what really happened to it.
type body struct {
	Being
	parent  *body // nil for an orphan
	grouped bool
	later   bool // born after the stop began
	ended   bool
	had     map[syscall.Signal]int
}

// world is a naive machine that forks and ends processes, and numbers them anew when the
// numbers are used up.
type world struct {
	t      *rapid.T
	bodies []*body
	last   int
	tick   uint64
	forked int // in this tick
	now    time.Time
	ledger Ledger
}

const pidMax = 64

func (w *world) living() []*body {
	return slices.DeleteFunc(slices.Clone(w.bodies), func(b *body) bool { return b.ended })
}

func (w *world) pick(label string) *body {
	living := w.living()
	if len(living) == 0 {
		w.t.Skip("nobody is left")
	}
	return rapid.SampledFrom(living).Draw(w.t, label)
}

func (w *world) fork(parent *body, grouped bool) {
	if w.forked++; w.forked > pidMax/4 { // nobody forks that fast
		w.pass()
	}
	w.last = w.last%(pidMax-1) + 1
	for slices.ContainsFunc(w.living(), func(b *body) bool { return b.PID == w.last }) {
		w.last = w.last%(pidMax-1) + 1
	}
	w.bodies = append(w.bodies, &body{
		Being: Being{w.last, w.tick}, parent: parent, grouped: grouped, later: w.ledger.Begun(), had: map[syscall.Signal]int{},
	})
}

func (w *world) pass() {
	w.tick++
	w.forked = 0
	w.now = w.now.Add(10 * time.Millisecond)
}

func (w *world) end(b *body) {
	b.ended = true
	for _, other := range w.bodies {
		if other.parent == b {
			other.parent = nil
		}
	}
}

// stop begins the stop: the group has the signal as a whole.
func (w *world) stop() {
	w.ledger.At = Moment{Tick: w.tick, Last: w.last, PIDMax: pidMax}
	w.ledger.Ask(Stop{syscall.SIGTERM, w.now.Add(time.Hour)}, w.now)
	for _, b := range w.living() {
		if b.grouped {
			b.had[syscall.SIGTERM]++
		}
	}
}

// look has the ledger decide, and checks it by what is known.
func (w *world) look() {
	var seen Snapshot
	for _, b := range w.living() {
		m := Member{Being: b.Being, Parent: 1 << 20, Grouped: b.grouped}
		if b.parent != nil {
			m.Parent = b.parent.PID
		}
		seen.Members = append(seen.Members, m)
	}
	dues, soon := w.ledger.Decide(seen, w.now)
	require.False(w.t, soon)
	for _, due := range dues {
		for _, b := range w.living() {
			if b.PID == due.PID {
				for _, sig := range due.Signals {
					b.had[sig]++
					require.False(w.t, sig == syscall.SIGTERM && b.later && b.parent != nil, "its parent sees to %+v", b)
				}
			}
		}
	}
	for _, b := range w.living() {
		want := 1
		if b.later && b.parent != nil {
			want = 0
		}
		if b.had[syscall.SIGTERM] == 1 {
			want = 1 // it was an orphan once, or is adopted
		}
		if !w.ledger.Killing() {
			require.Equal(w.t, want, b.had[syscall.SIGTERM], "%+v", b)
			require.Zero(w.t, b.had[syscall.SIGKILL])
			continue
		}
		require.LessOrEqual(w.t, b.had[syscall.SIGTERM], 1, "%+v", b)
		require.Equal(w.t, 1, b.had[syscall.SIGKILL], "%+v", b)
	}
}

// Whatever a tree does: nobody gets the signal twice, or while its parent sees to it, and
// everybody else gets it at the next look.
func TestAnyTreeIsEndedRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{t: t, tick: 1000, last: rapid.IntRange(1, pidMax-1).Draw(t, "last"), now: begun}
		for range rapid.IntRange(1, 8).Draw(t, "members") {
			var parent *body
			if len(w.bodies) > 0 && rapid.Bool().Draw(t, "has a parent") {
				parent = w.pick("parent")
			}
			w.fork(parent, rapid.Bool().Draw(t, "in the group"))
			if rapid.Bool().Draw(t, "time passes") {
				w.pass()
			}
		}
		w.stop()
		t.Repeat(map[string]func(*rapid.T){
			"fork": func(*rapid.T) {
				if parent := w.pick("parent"); len(w.living()) < pidMax/4 {
					w.fork(parent, parent.grouped)
				}
			},
			"end": func(*rapid.T) { w.end(w.pick("who ends")) },
			"leave the group": func(*rapid.T) {
				// One that was there is known to have had it by the first look.
				if b := w.pick("who leaves"); b.later || w.ledger.Knows(b.Being) {
					b.grouped = false
				}
			},
			"time": func(*rapid.T) { w.pass() },
			"look": func(*rapid.T) { w.look() },
			"deadline": func(t *rapid.T) {
				if rapid.IntRange(0, 9).Draw(t, "it comes") == 0 {
					w.ledger.Ask(Now, w.now)
				}
			},
		})
		w.look()
	})
}

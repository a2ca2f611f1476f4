package osproc

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// tableOfNow is a table that has seen everything up to the present, as far as it knows.
func tableOfNow(t *testing.T) *procTable {
	t.Helper()
	table := openProcTable()
	t.Cleanup(table.close)
	return table
}

func TestNewerAreTheNumbersGivenOutSince(t *testing.T) {
	table := tableOfNow(t)
	seen := table.seen
	last := seen.last
	if seen.last -= 3; last < 4 {
		t.Skip("the numbers have just wrapped")
	}
	pids, any := table.newer(&seen)
	got := slices.Collect(pids)
	if !any || len(got) < 3 || got[0] != last-2 || !slices.IsSorted(got) || got[len(got)-1] != seen.last {
		t.Errorf("%v, after %d; seen up to %d", got, last-3, seen.last)
	}
	if seen.last != table.lastPID() {
		t.Skip("something else forks")
	}
	if pids, any := table.newer(&seen); any {
		t.Errorf("nothing was forked: %v", slices.Collect(pids))
	}
}

func TestTheNumbersGivenOutWrap(t *testing.T) {
	table := &procTable{}
	table.pidMax.Store(32768)
	then := birth{last: 32765, forks: 100}
	got := slices.Collect(table.givenOut(then, birth{last: 2, forks: 105, time: time.Now()}))
	if want := []int{32766, 32767, 32768, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// What cannot be known by the numbers is all there is, and what may be in the
// middle of its fork.
func TestAllAreTriedIfItIsNotKnownWhichAreNew(t *testing.T) {
	table := tableOfNow(t)
	now := birth{last: 10, forks: -1, time: time.Now()}
	table.ours[os.Getppid()] = finding{sight: ours}
	var tried []int
	for pid := range table.givenOut(birth{last: 5, forks: -1}, now) {
		if slices.Contains(tried, pid) {
			t.Fatalf("%d twice", pid)
		}
		tried = append(tried, pid)
	}
	for _, pid := range []int{1, os.Getpid(), 10, table.maxPID() - 100} {
		if !slices.Contains(tried, pid) {
			t.Errorf("%d is not tried", pid)
		}
	}
	if slices.Contains(tried, os.Getppid()) {
		t.Error("what is ours is tried again")
	}
	if got := slices.Collect(table.givenOut(birth{}, birth{forks: -1})); !slices.Contains(got, os.Getpid()) {
		t.Error("nothing is found without the last number")
	}
}

func TestWhatIsAbsentIsTriedAgain(t *testing.T) {
	table := tableOfNow(t)
	now := time.Now()
	const recent, older, gone, old = 1 << 24, 1<<24 + 1, 1<<24 + 2, 1<<24 + 3 // beyond what can be
	table.absent = []absence{{recent, now}, {older, now.Add(-maxForking / 2)}, {gone, now}, {old, now.Add(-2 * maxForking)}}
	look := func(oldest time.Time) (tried map[int]time.Time) {
		tried = map[int]time.Time{}
		pids, seen := table.candidates(map[int]bool{gone: true}, oldest)
		for pid, since := range pids {
			if pid >= recent {
				tried[pid] = since
			}
			table.remember(pid, since, finding{})
		}
		table.seen = seen
		return tried
	}
	if tried := look(now.Add(-maxForking / 4)); !maps.Equal(tried, map[int]time.Time{recent: now, old: now.Add(-2 * maxForking)}) {
		t.Errorf("for one born since the older one was absent, and of the old one for the last time: %v", tried)
	}
	if tried := look(time.Time{}); len(tried) != 2 || !tried[recent].Equal(now) || tried[older].IsZero() {
		t.Errorf("for all: %v", tried)
	}
	table.remember(recent, now, finding{sight: stranger})
	for pid := range look(time.Time{}) {
		if pid == old || pid == gone {
			t.Errorf("%d is tried", pid)
		}
	}
}

func TestLeadersThatCameAndWentAreNotWonderedAbout(t *testing.T) {
	table := tableOfNow(t)
	s := &sweeper{table: table}
	s.reaped(&Process{PID: 1, birth: birth{time: table.seen.time.Add(-time.Second)}}) // its number may be another's by now
	s.reaped(&Process{PID: 2, birth: birth{time: table.seen.time.Add(time.Second)}})
	if gone := s.takeGone(); !maps.Equal(gone, map[int]bool{2: true}) {
		t.Errorf("%v", gone)
	}
	if gone := s.takeGone(); len(gone) > 0 {
		t.Errorf("again: %v", gone)
	}
	for pid := range 3 * maxRange {
		s.reaped(&Process{PID: pid, birth: birth{time: table.seen.time.Add(time.Second)}})
	}
	if gone := s.takeGone(); len(gone) > maxRange {
		t.Errorf("%d are kept", len(gone))
	}
}

// The deadline may pass at the moment at which nothing is left any more; what looks
// then must be over before the table is closed. The race detector looks on.
func TestCloseAtItsDeadline(t *testing.T) {
	t.Parallel()
	for i := range 200 {
		h, err := NewHost(fmt.Sprintf("osproc-close-%d-%d", os.Getpid(), i))
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Close(time.Now().Add(time.Duration(i%20) * 20 * time.Microsecond)); err != nil {
			t.Error(err)
		}
	}
}

// A stop begins while a look finds that there are more process IDs than there were. The
// race detector looks on.
func TestTheGreatestProcessIDIsLookedUpDuringAStop(t *testing.T) {
	table := tableOfNow(t)
	s := &sweeper{table: table}
	var look sync.WaitGroup
	look.Go(func() {
		for range 100 {
			table.pidMax.Store(1)
			table.present(table.seen)
		}
	})
	for range 100 {
		require.NotZero(t, s.moment().PIDMax)
	}
	look.Wait()
	require.EqualValues(t, readPIDMax(), table.maxPID())
}

// A process whose number was chosen is one more fork than numbers were given out.
func TestChosenNumbersAreNoticed(t *testing.T) {
	table := &procTable{chosen: true}
	table.pidMax.Store(32768)
	then := birth{last: 100, forks: 1000}
	require.False(t, table.hides(then, birth{last: 110, forks: 1010}))
	require.True(t, table.hides(then, birth{last: 110, forks: 1011}))
	require.True(t, table.hides(then, birth{last: 100, forks: 1001}))
	require.False(t, table.hides(birth{last: 32760, forks: 1}, birth{last: 2, forks: 11}), "the numbers have wrapped")
	table.chosen = false
	require.False(t, table.hides(then, birth{last: 110, forks: 1011}), "nobody can choose")
}

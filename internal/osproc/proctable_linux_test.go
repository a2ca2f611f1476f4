package osproc

import (
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
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
	assert.True(t, any)
	require.GreaterOrEqual(t, len(got), 3, "%v, after %d; seen up to %d", got, last-3, seen.last)
	assert.Equal(t, last-2, got[0])
	assert.IsNonDecreasing(t, got)
	assert.Equal(t, seen.last, got[len(got)-1])
	if seen.last != table.lastPID() {
		t.Skip("something else forks")
	}
	pids, any = table.newer(&seen)
	assert.False(t, any, "nothing was forked: %v", pids)
}

func TestTheNumbersGivenOutWrap(t *testing.T) {
	table := &procTable{}
	table.pidMax.Store(32768)
	then := birth{last: 32765, forks: 100}
	got := slices.Collect(table.givenOut(then, birth{last: 2, forks: 105, time: time.Now()}))
	assert.Equal(t, []int{32766, 32767, 32768, 1, 2}, got)
}

// What cannot be known by the numbers is all there is, and what may be in the
// middle of its fork.
func TestAllAreTriedIfItIsNotKnownWhichAreNew(t *testing.T) {
	table := tableOfNow(t)
	now := birth{last: 10, forks: -1, time: time.Now()}
	table.ours[os.Getppid()] = finding{sight: ours}
	tried := slices.Collect(table.givenOut(birth{last: 5, forks: -1}, now))
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(tried))), len(tried), "one is tried twice")
	for _, pid := range []int{1, os.Getpid(), 10, table.maxPID() - 100} {
		assert.True(t, slices.Contains(tried, pid), "%d is not tried", pid)
	}
	assert.False(t, slices.Contains(tried, os.Getppid()), "what is ours is tried again")
	got := slices.Collect(table.givenOut(birth{}, birth{forks: -1}))
	assert.True(t, slices.Contains(got, os.Getpid()), "nothing is found without the last number")
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
	assert.Equal(t, map[int]time.Time{recent: now, old: now.Add(-2 * maxForking)}, look(now.Add(-maxForking/4)),
		"for one born since the older one was absent, and of the old one for the last time")
	tried := look(time.Time{})
	assert.Len(t, tried, 2)
	assert.Equal(t, now, tried[recent])
	assert.NotZero(t, tried[older])
	table.remember(recent, now, finding{sight: stranger})
	tried = look(time.Time{})
	assert.NotContains(t, tried, old)
	assert.NotContains(t, tried, gone)
}

func TestLeadersThatCameAndWentAreNotWonderedAbout(t *testing.T) {
	table := tableOfNow(t)
	s := &sweeper{table: table}
	s.reaped(&Process{PID: 1, birth: birth{time: table.seen.time.Add(-time.Second)}}) // its number may be another's by now
	s.reaped(&Process{PID: 2, birth: birth{time: table.seen.time.Add(time.Second)}})
	assert.Equal(t, map[int]bool{2: true}, s.takeGone())
	assert.Empty(t, s.takeGone(), "once more")
	for pid := range 3 * maxRange {
		s.reaped(&Process{PID: pid, birth: birth{time: table.seen.time.Add(time.Second)}})
	}
	assert.LessOrEqual(t, len(s.takeGone()), maxRange)
}

// The deadline may pass at the moment at which nothing is left any more; what looks
// then must be over before the table is closed. The race detector looks on.
func TestCloseAtItsDeadline(t *testing.T) {
	t.Parallel()
	for i := range 200 {
		h, err := NewHost(fmt.Sprintf("osproc-close-%d-%d", os.Getpid(), i))
		require.NoError(t, err)
		assert.NoError(t, h.Close(time.Now().Add(time.Duration(i%20)*20*time.Microsecond)))
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

package osproc

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"
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
	last := table.lastPID()
	seen := birth{last: last - 3} // the numbers wrap at pid_max, which this is far from
	if last < 4 {
		t.Skip("the numbers have just wrapped")
	}
	var got []int
	for pid := range table.newer(&seen) {
		got = append(got, pid)
	}
	if len(got) < 3 || got[0] != last-2 || !slices.IsSorted(got) || got[len(got)-1] != seen.last {
		t.Errorf("%v, after %d; seen up to %d", got, last-3, seen.last)
	}
	seen.last = 1 << 30 // more than there can be: they have wrapped
	self := false
	for pid := range table.newer(&seen) {
		self = self || pid == os.Getpid()
	}
	if !self || seen.last > 1<<22 {
		t.Errorf("after a wrap this process is found: %v; seen up to %d", self, seen.last)
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
			table.remember(pid, since, nothing)
		}
		table.seen = seen
		return tried
	}
	if tried := look(now.Add(-maxForking / 4)); !maps.Equal(tried, map[int]time.Time{recent: now}) {
		t.Errorf("for one born since the older one was absent: %v", tried)
	}
	if tried := look(time.Time{}); len(tried) != 2 || !tried[recent].Equal(now) || tried[older].IsZero() {
		t.Errorf("for all: %v", tried)
	}
	table.remember(recent, now, stranger)
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

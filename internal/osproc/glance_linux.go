package osproc

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/ending"
)

// What is seen without a look at the process table, or saves a part of one.

// childless reports whether p's leader, which has exited, can be seen at a glance
// to have left nothing behind: no process ID was given out since it started, but
// to other leaders and to what is gone again, and by now has not given out others.
func (s *sweeper) childless(p *Process) bool {
	for seen := p.PID; ; {
		now := birth{time: time.Now(), last: s.table.lastPID()}
		switch {
		case !s.table.isRecent(p.birth, now) || now.last < seen || now.last-p.PID > maxGlance:
			return false
		case now.last == seen:
			return true
		}
		for pid := seen + 1; pid <= now.last; pid++ {
			if s.host.isOwn(pid) {
				continue
			}
			if _, err := unix.Getpgid(pid); err != unix.ESRCH {
				return false
			}
		}
		seen = now.last
	}
}

// maxGlance is the most process IDs that are tried at a glance.
const maxGlance = 256

// newest is one of the newest processes, a member of a group that is about to get the stop
// signal. It may be about to leave the group, as a daemon is that was just forked, and
// would be taken for one outside; or to execute a program, which forgets the signal, if
// that is handled in the way of the parent.
type newest struct {
	ending.Being
	group   int
	parent  int
	newborn bool
}

func (n newest) isIn() bool {
	group, err := unix.Getpgid(n.PID)
	return err == nil && group == n.group
}

// noteMoment notes the moment in which a stop begins, right before groups get the signal.
// It returns which of the newest processes are members of them. t.mu is locked.
func (s *sweeper) noteMoment(t *tree, groups []*Process) (found []newest) {
	t.hearing = nil
	t.ledger.At = s.moment()
	if len(groups) == 0 {
		return nil
	}
	begun, count := time.Now(), maxGlance
	if len(groups) == 1 { // what the leader has forked is newer than that
		count = min(count, s.table.distance(groups[0].PID, t.ledger.At.Last))
	}
	found, unseen := s.findNewest(t, groups, count)
	looked := t.ledger.At.Last
	for len(found) > 0 {
		if len(found) >= storm {
			time.Sleep(fork / 3) // who has just slept is not about to lose the CPU
		}
		t.ledger.At = s.moment()
		more, moreUnseen := s.findNewest(t, groups, min(maxGlance, s.table.distance(looked, t.ledger.At.Last)))
		found = slices.DeleteFunc(append(found, more...), func(n newest) bool { return !n.isIn() })
		unseen, looked = append(unseen, moreUnseen...), t.ledger.At.Last
		if len(found) < storm || !t.noteForkers(found) || time.Since(begun) > maxForkers {
			break
		}
	}
	if time.Since(begun) > momentary {
		t.ledger.At = s.moment()
	}
	t.ledger.At.Last, t.ledger.At.After, t.ledger.At.Unseen = looked, t.ledger.At.Last, unseen
	return found
}

const (
	// storm is so many newest members that they are forked one after the other.
	storm = 4

	// maxForkers is how long a stop waits then for a moment in which nobody seems to be
	// forking.
	maxForkers = time.Millisecond

	// momentary is how long a moment may take.
	momentary = 50 * time.Microsecond
)

// noteForkers notes who may be forking right now: who has forked the newest, and does not
// sleep. It reports whether anybody may.
func (t *tree) noteForkers(found []newest) bool {
	t.hearing = t.hearing[:0]
	for _, n := range found {
		if !slices.Contains(t.hearing, n.parent) {
			t.hearing = append(t.hearing, n.parent)
		}
	}
	t.hearing = slices.DeleteFunc(t.hearing, func(pid int) bool {
		k, err := kinOf(pid)
		return err != nil || !k.busy
	})
	return len(t.hearing) > 0
}

// noteNewest notes, now that the groups have the signal, that these had it. One that has left
// its group in that very moment may have had it.
func (t *tree) noteNewest(found []newest) {
	for _, n := range found {
		if n.isIn() {
			t.ledger.Note(n.Being, n.newborn)
		} else {
			t.ledger.Doubt(n.Being)
		}
	}
}

// moment returns the present: not one that passed while this program got no CPU time.
func (s *sweeper) moment() (at ending.Moment) {
	for range 10 {
		begun := time.Now()
		at = ending.Moment{Tick: ticks(), Last: s.table.lastPID(), PIDMax: s.table.maxPID()}
		if time.Since(begun) < momentary {
			break
		}
	}
	return at
}

// findNewest finds which of so many of the newest processes are members of groups, and of
// which of the very newest there is nothing to be seen: their forks may be under way. Those
// that are not so new do nothing any more that matters.
func (s *sweeper) findNewest(t *tree, groups []*Process, count int) (found []newest, unseen []int) {
	now, sig, last := ticks(), t.ledger.Signal(), t.ledger.At.Last
	present := birth{time: time.Now(), last: last}
	most := maxGlance
	if settled := s.settled.Load(); settled != nil && s.table.isRecent(*settled, present) {
		most = min(most, s.table.distance(settled.last, last))
	}
	all := count >= most
	count = min(count, most)
	old := min(count, newestForks) // who has a number before these is too old, unless one is found that is not
	n := 0
	for ; n < count && len(found) < maxNewest; n++ {
		pid := s.table.before(last, n)
		if p := s.host.leader(pid); p != nil {
			if time.Since(p.birth.time) > newborn*tick {
				break
			}
			old = n + 1
			continue
		}
		group, err := unix.Getpgid(pid)
		if err != nil && n < newestForks {
			unseen = append(unseen, pid)
		}
		member := err == nil && slices.ContainsFunc(groups, func(p *Process) bool { return p.PID == group && p.PID != pid })
		if err != nil || !member && n < newestForks {
			continue
		}
		k, err := kinOf(pid)
		if err == nil && !k.isFresh(now, 1) {
			break
		}
		old = n + 1
		if member {
			found = append(found, newest{ending.Being{PID: pid, Began: k.began}, group, k.parent, k.isNewborn(sig) && k.inherits(sig)})
		}
	}
	if (all || n < count) && old <= n && len(found) < maxNewest {
		present.last = s.table.before(last, old)
		s.settled.Store(&present)
	}
	return found, unseen
}

const (
	// newestForks is how many of the newest processes are not asked for their age: that
	// takes longer than to ask for their group.
	newestForks = 8

	// maxNewest is how many members are noted. Each holds up the signal of all others.
	maxNewest = 16
)

// departed is a leader that is gone.
type departed struct {
	pid   int
	birth time.Time // before it was forked
}

// reaped notes that p's leader is gone, so that a look need not wonder whether its
// number is yet to appear. When there are so many that a look will read all of
// /proc they are of no use.
func (s *sweeper) reaped(p *Process) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.gone) >= maxRange {
		s.gone = s.gone[:0]
	}
	s.gone = append(s.gone, departed{p.PID, p.birth.time})
}

// takeGone returns the numbers of leaders that came and went since the last look. The
// number of an older one may have been given out anew.
func (s *sweeper) takeGone() map[int]bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	gone := make(map[int]bool, len(s.gone))
	for _, d := range s.gone {
		if !d.birth.Before(s.table.seen.time) {
			gone[d.pid] = true
		}
	}
	s.gone = s.gone[:0]
	return gone
}

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

// noteMoment notes the moment in which a stop begins, and who is a member of groups that are
// about to get the signal. t.mu is locked.
func (s *sweeper) noteMoment(t *tree, groups []*Process) {
	t.ledger.At = s.moment()
	newest := maxGlance
	switch len(groups) {
	case 0:
		return
	case 1: // what the leader has forked is newer than that
		newest = min(newest, s.table.distance(groups[0].PID, t.ledger.At.Last))
	}
	for range 3 {
		if newest == 0 {
			return
		}
		s.noteNewest(t, groups, newest)
		last := t.ledger.At.Last
		t.ledger.At = s.moment()
		newest = min(maxGlance, s.table.distance(last, t.ledger.At.Last)) // forked meanwhile
	}
}

// moment is the present: not one that passed while this program got no CPU time.
func (s *sweeper) moment() (at ending.Moment) {
	for range 10 {
		begun := time.Now()
		at = ending.Moment{Tick: ticks(), Last: s.table.lastPID(), PIDMax: s.table.pidMax}
		if time.Since(begun) < 50*time.Microsecond {
			break
		}
	}
	return at
}

// noteNewest notes which of so many of the newest processes are members of groups. They may
// leave the group, as a daemon does that was just forked, and would be taken for others; or
// execute a program, which forgets the signal, if that is handled in the way of the parent.
func (s *sweeper) noteNewest(t *tree, groups []*Process, newest int) {
	now := ticks()
	for n := range newest {
		pid := s.table.before(t.ledger.At.Last, n)
		if p := s.host.leader(pid); p != nil {
			if time.Since(p.birth.time) > newborn*tick {
				return
			}
			continue
		}
		group, err := unix.Getpgid(pid)
		if err != nil {
			continue
		}
		member := slices.ContainsFunc(groups, func(p *Process) bool { return p.PID == group && p.PID != pid })
		if !member && n < newestForks {
			continue
		}
		k, err := kinOf(pid)
		if err == nil && now-k.began > newborn {
			return
		}
		if sig := t.ledger.Signal(); member {
			t.ledger.Note(ending.Being{PID: pid, Began: k.began}, k.isNewborn(sig) && signalSet(k.parent, "SigCgt").has(sig))
		}
	}
}

// newestForks is how many of the newest processes are not asked for their age: that takes
// longer than to ask for their group.
const newestForks = 8

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

// takeGone are the numbers of leaders that came and went since the last look. The
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

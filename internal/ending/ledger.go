package ending

import (
	"cmp"
	"slices"
	"syscall"
	"time"
)

// Being identifies one OS process among all that there have ever been. A process ID
// alone does not, because IDs are used again.
type Being struct {
	PID   int
	Began uint64 // when it was forked, in clock ticks since boot: starttime in proc_pid_stat(5)
}

// Moment is when the stop began, as far as forks can be compared with it: right before
// the stop signal was sent to the groups.
type Moment struct {
	Tick   uint64 // clock ticks since boot
	Last   int    // the process ID that was given out last, 0 if unknown
	After  int    // and last right after it was sent, 0 if nobody was quick enough to see
	Unseen []int  // of those up to Last of which there was nothing to be seen
	PIDMax int    // process IDs are below it, and then begin again; 0 if unknown
}

// age is when a process was forked, compared with a moment.
type age uint8

const (
	unknown age = iota // in the same tick, and more is not known
	older
	younger
	// between: its fork may have been under way when the signal was sent to the groups. Then
	// it has had that, too (copy_process in the kernel's kernel/fork.c, multiprocess signals).
	between
)

// ageOf compares the time of a fork with the moment, and if that is too coarse the
// process ID.
func (at Moment) ageOf(b Being) age {
	numbered := at.Last > 0 && at.PIDMax > 0
	switch {
	case b.Began < at.Tick:
		return older
	case b.Began <= at.Tick+maxForking && slices.Contains(at.Unseen, b.PID):
		return between
	case numbered && at.After > 0 && at.since(b.PID) > 0 && at.since(b.PID) <= at.since(at.After):
		return between
	case b.Began > at.Tick:
		return younger
	case !numbered:
		return unknown
	case at.since(b.PID) > 0 && at.since(b.PID) < at.PIDMax/2:
		return younger
	}
	return older
}

// maxForking is how long a fork may be under way, in clock ticks.
const maxForking = 100

// since returns how many process IDs after the last one a process ID comes.
func (at Moment) since(pid int) int { return (pid - at.Last + at.PIDMax) % at.PIDMax }

// Member is one of the tree, as it was seen.
type Member struct {
	Being
	Parent  int  // its process ID
	Grouped bool // it is in a group that got the signal as a whole
	// What matters on a terminal alone: it ignores the signal; or it handles that, and
	// would die of SIGHUP.
	Deaf, Spared bool
	// Newborn: it was forked a moment ago, has not executed a program yet, and handles the
	// signal, perhaps only because its parent does. A shell's child that is about to
	// execute something hears it then, and forgets it.
	Newborn bool
	// Executed: it has executed a program since it was forked.
	Executed bool
	// Mortal: the signal would have killed it. Matters if the ledger doubts.
	Mortal bool
}

// Snapshot is the tree as it was seen in one look.
type Snapshot struct {
	Members []Member
	Leaders []int // those that live
	// Incomplete: something could not be looked at, so that who has no parent in the
	// tree may have one.
	Incomplete bool
	// Terminal: it runs on one, which is hung up.
	Terminal bool
}

// Ledger is the course of the stop of a tree, with the signals that each member has
// had.
type Ledger struct {
	Course
	At Moment
	// Alone is the moment when the leaders had the signal alone, before the stop became
	// that of the tree. It is nil if they did not.
	Alone *Moment
	had   map[Being]had
	free  map[int]bool // the process IDs of those that have ended since the stop began
}

// had is what a member has had. newborn: it had the signal as one, from a group that got
// it as a whole. doubtful: it has left the group in that moment, and may have had it or not.
type had struct{ signal, hangUp, kill, newborn, doubtful bool }

// Knows reports whether b has had the stop signal, or counts as having had it.
func (l *Ledger) Knows(b Being) bool { return l.had[b].signal }

// Settles reports whether b needs no further look until the deadline.
func (l *Ledger) Settles(b Being) bool {
	return l.had[b].signal && !l.had[b].newborn && !l.had[b].doubtful
}

// Doubts reports whether it is unknown if b has had the stop signal. Member.Mortal decides
// it.
func (l *Ledger) Doubts(b Being) bool {
	had := l.had[b]
	return had.doubtful || !had.signal && l.At.ageOf(b) == between
}

// Forget forgets b, which has ended. A process that gets its ID from now on is younger
// than the stop, even if the clock has not ticked since.
func (l *Ledger) Forget(b Being) {
	if !l.Begun() {
		return
	}
	delete(l.had, b)
	if l.free == nil {
		l.free = map[int]bool{}
	}
	l.free[b.PID] = true
}

// Keep forgets all that do not live, now that everything was looked at. A process that was
// only recorded may have ended unseen.
func (l *Ledger) Keep(lives func(Being) bool) {
	for b := range l.had {
		if !lives(b) {
			l.Forget(b)
		}
	}
}

// Note records that b has had the stop signal, perhaps as a newborn.
func (l *Ledger) Note(b Being, newborn bool) { l.note(b, had{signal: true, newborn: newborn}) }

// Doubt records that b may have had the stop signal, or not.
func (l *Ledger) Doubt(b Being) { l.note(b, had{signal: true, doubtful: true}) }

func (l *Ledger) note(b Being, h had) {
	if l.had == nil {
		l.had = map[Being]had{}
	}
	l.had[b] = h
}

// Due is what one member must get now, in this order.
type Due struct {
	PID     int
	Signals []syscall.Signal
}

// Decide returns which member must get which signal now, and records that they have
// had it:
//
//   - Who was there when the stop began gets the signal, unless it had it with its group.
//   - Who was born later is its parent's doing: as long as that lives, and is of the
//     tree, it gets nothing. An orphan gets the signal.
//   - Who may have had it with its group, or not, is taken to have had it, but for who
//     would have died of it, and for an orphan that has executed a program since: they
//     have not.
//   - A newborn is waited for: soon reports whether one is, so that it is to be looked at
//     again. One that had the signal with its group, and has executed a program and lost
//     its parent since, gets it again: that program has not had it.
//   - On a terminal, who ignores the signal is hung up at once, and the rest of those
//     who have had it when half of the grace is over; but not who handles the signal and
//     not SIGHUP.
//   - When the deadline has passed, everything gets SIGKILL.
//
// No member gets a signal twice. Parents come before their children: a parent whose
// child ends first may finish, and end without having heard the signal.
func (l *Ledger) Decide(tree Snapshot, now time.Time) (dues []Due, soon bool) {
	if !l.Begun() {
		return nil, false
	}
	parents := make(map[int]int, len(tree.Members)+len(tree.Leaders))
	for _, pid := range tree.Leaders {
		parents[pid] = 0
	}
	for _, m := range tree.Members {
		parents[m.PID] = m.Parent
	}
	doings := l.doings(tree.Leaders)
	for _, m := range parentsFirst(tree.Members, parents) {
		before := l.had[m.Being]
		_, hasParent := parents[m.Parent]
		orphan := !hasParent && !tree.Incomplete
		if doings != nil && doings.add(l, m) {
			continue
		}
		after, signals := l.decide(m, before, orphan, tree.Terminal, now)
		if after != before {
			l.note(m.Being, after)
		}
		if len(signals) > 0 {
			dues = append(dues, Due{m.PID, signals})
		}
		soon = soon || !after.signal && m.Newborn
	}
	return dues, soon
}

// doings are the leaders that had the signal alone, and what these have begun since, by their
// process IDs: it is theirs as long as they live, whatever the moment of the wider stop.
type doings map[int]bool

func (l *Ledger) doings(leaders []int) doings {
	if l.Alone == nil || l.Killing() {
		return nil
	}
	d := doings{}
	for _, pid := range leaders {
		d[pid] = true
	}
	return d
}

// add reports whether m is one of them; parents come first.
func (d doings) add(l *Ledger, m Member) bool {
	is := d[m.Parent] && l.Alone.ageOf(m.Being) == younger
	if is {
		d[m.PID] = true
	}
	return is
}

// parentsFirst are members in the order of their generations.
func parentsFirst(members []Member, parents map[int]int) []Member {
	generation := func(m Member) (n int) {
		for pid, known := parents[m.PID]; known && n < len(parents); n++ {
			pid, known = parents[pid]
		}
		return n
	}
	return slices.SortedStableFunc(slices.Values(members), func(a, b Member) int {
		return cmp.Or(cmp.Compare(generation(a), generation(b)), cmp.Compare(a.PID, b.PID))
	})
}

// decide is Decide for one member, which has had what is said by before.
func (l *Ledger) decide(m Member, before had, orphan, terminal bool, now time.Time) (after had, signals []syscall.Signal) {
	if l.Killing() {
		if !before.kill {
			signals = append(signals, syscall.SIGKILL)
		}
		return had{signal: true, hangUp: true, kill: true}, signals
	}
	after = before
	switch {
	case before.doubtful:
		after.doubtful = false
		if m.Mortal { // so it has not had it
			signals = append(signals, l.stop.Signal)
		}
	case before.newborn && m.Executed && orphan:
		after.newborn = false
		signals = append(signals, l.stop.Signal)
	case !before.signal:
		var due bool
		if after.signal, due = l.signal(m, orphan); due {
			signals = append(signals, l.stop.Signal)
		}
	}
	if terminal && after.signal && !after.hangUp && (m.Deaf || !m.Spared && !now.Before(l.half())) {
		after.hangUp = true
		if l.stop.Signal != syscall.SIGHUP {
			signals = append(signals, syscall.SIGHUP)
		}
	}
	return after, signals
}

// signal decides about one who is not known to have had the signal: whether it has had
// it, or is to get it now.
func (l *Ledger) signal(m Member, orphan bool) (has, due bool) {
	age := l.At.ageOf(m.Being)
	if l.free[m.PID] {
		age = younger
	}
	switch {
	case age == older && m.Grouped, age == unknown && (m.Grouped || orphan), age == between && orphan && !m.Executed && !m.Newborn && !m.Mortal:
		return true, false
	case age == older, age != unknown && orphan:
		return !m.Newborn, !m.Newborn
	}
	return false, false
}

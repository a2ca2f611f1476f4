package osproc

import (
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/ending"
)

// members are the descendants of a tree that were found.
type members struct {
	known  map[int]*member // by process ID
	living int             // of them
	ends   *time.Timer     // until a look at orphans, nil if none is due
	since  time.Time       // when the first has ended since the last such look
	blind  int             // looks, one after the other, that could not see everything
}

// member is a descendant that was found, and is known not to be a stranger.
type member struct {
	tree  *tree
	kin   kin // as it was seen last
	pidfd int
	fresh bool // kin was seen since the stop began, and is not decided on yet
	ended atomic.Bool
}

func (m *members) count() int { return m.living }

// live reports whether one lives right now.
func (m *members) live() bool {
	for _, m := range m.known {
		if !m.ended.Load() && !hasExited(m.pidfd) {
			return true
		}
	}
	return false
}

// has reports whether pid is a living member; nil has none.
func (t *tree) has(pid int) bool {
	if t == nil {
		return false
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	m := t.members.known[pid]
	return m != nil && !m.ended.Load()
}

// found adds a member, unless the tree is over by now, or the member has ended or may not
// be signalled. If the deadline has passed it is killed without waiting for the rest of the
// look: it may fork faster than that comes along.
func (t *tree) found(pid, pidfd int) (*member, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return nil, unix.ESRCH
	}
	kin, err := kinOf(pid)
	if err == nil {
		err = unix.PidfdSendSignal(pidfd, 0, nil, 0) // that was not a stranger with its number
	}
	if err != nil {
		return nil, err
	}
	m := &member{tree: t, kin: kin, pidfd: pidfd, fresh: t.ledger.Begun() && !t.narrow}
	if t.members.known == nil {
		t.members.known = map[int]*member{}
	}
	t.members.known[pid] = m
	t.members.living++
	if t.ledger.Killing() && !t.narrow {
		t.carryOut(ending.Snapshot{Members: []ending.Member{t.seen(m)}})
	}
	return m, nil
}

// readable is called by the poller: the member has ended. As long as the tree has its
// grace, its children may be orphans that are to be told; after it there is nothing to
// do until all have ended.
func (m *member) readable() {
	if !m.ended.CompareAndSwap(false, true) {
		return
	}
	t := m.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members.living--
	switch m, now := &t.members, time.Now(); {
	case m.living == 0:
		if m.ends != nil {
			m.ends.Stop()
			m.ends = nil
		}
		t.host.sweep.ask(t)
	case !t.ledger.Begun() || t.ledger.Killing() || t.narrow:
	case m.ends == nil:
		m.ends, m.since = time.AfterFunc(together, t.orphans), now
	case now.Sub(m.since) < maxTogether:
		m.ends.Reset(together)
	}
}

const (
	// together is how long a look waits, when a member has ended, for others to end, too,
	// and maxTogether if more and more do.
	together    = 5 * time.Millisecond
	maxTogether = 20 * time.Millisecond
)

// orphans asks for a look, because there may be some.
func (t *tree) orphans() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members.ends = nil
	t.host.sweep.ask(t)
}

// lost forgets a member that cannot be waited for.
func (t *tree) lost(m *member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if m.ended.CompareAndSwap(false, true) {
		t.members.living--
	}
	t.forget(m)
}

func (t *tree) forget(m *member) {
	delete(t.members.known, m.kin.pid)
	t.ledger.Forget(m.being())
	t.host.poller.drop(m.pidfd)
	unix.Close(m.pidfd)
}

// lookBegins forgets the members that have ended: their numbers are free. It returns whether
// there can be others. What carries the ID of a tree that is over is of another
// incarnation, and none of its business.
func (t *tree) lookBegins() (others bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, m := range t.members.known {
		if m.ended.Load() {
			t.forget(m)
		}
	}
	return !t.over
}

// signalMembers sends the members that were found what is due to them.
func (t *tree) signalMembers(complete bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.ledger.Begun() || t.narrow || t.over {
		return
	}
	seen := ending.Snapshot{Incomplete: !complete && t.members.blind < maxBlind, Terminal: t.onTerminal()}
	for _, p := range t.leaders {
		if !p.hasExited() {
			seen.Leaders = append(seen.Leaders, p.PID)
		}
	}
	for _, m := range t.members.known {
		if m.ended.Load() || t.ledger.Killing() && hasExited(m.pidfd) { // the poller may come later
			continue
		}
		if !m.fresh && !t.ledger.Settles(m.being()) {
			m.lookAgain()
		}
		m.fresh = false
		member := t.seen(m)
		if seen.Terminal {
			member.Deaf, member.Spared = t.hears(m.kin.pid)
		}
		seen.Members = append(seen.Members, member)
	}
	if complete {
		t.ledger.Keep(t.isKnown)
	}
	if t.carryOut(seen) {
		time.AfterFunc(maxPause, func() { t.host.sweep.ask(t) })
	}
}

// isKnown reports whether b was found, or is a leader, and is not known to have ended.
func (t *tree) isKnown(b ending.Being) bool {
	if slices.ContainsFunc(t.leaders, func(p *Process) bool { return p.being() == b }) {
		return true
	}
	m := t.members.known[b.PID]
	return m != nil && m.being() == b
}

// lookAgain sees whose child it is by now, and in which group.
func (m *member) lookAgain() {
	if now, err := kinOf(m.kin.pid); err == nil && now.began == m.kin.began {
		m.kin = now
	}
}

func (m *member) being() ending.Being { return ending.Being{PID: m.kin.pid, Began: m.kin.began} }

func (t *tree) seen(m *member) ending.Member {
	seen := ending.Member{Being: m.being(), Parent: m.kin.parent, Executed: !m.kin.isForked(), Newborn: m.kin.isNewborn(t.ledger.Signal())}
	seen.Mortal = t.ledger.Doubts(seen.Being) && dispositionsOf(m.kin.pid).diesOf(t.ledger.Signal())
	for _, p := range t.leaders {
		seen.Grouped = seen.Grouped || p.whole && p.PID == m.kin.group
	}
	return seen
}

// carryOut sends what the ledger says. soon: it is to be asked again.
func (t *tree) carryOut(seen ending.Snapshot) (soon bool) {
	dues, soon := t.ledger.Decide(seen, time.Now())
	if len(dues) > 0 && t.ledger.Killing() && t.tellKilled() {
		t.killGroups()
	}
	for _, due := range dues {
		for _, sig := range t.withCont(due.Signals) {
			unix.PidfdSendSignal(t.members.known[due.PID].pidfd, sig, nil, 0)
		}
	}
	return soon
}

// needless reaps the leaders whose descendants live on elsewhere: nobody is in their
// sessions or groups, so that they need not keep their numbers. One stays for the tree.
func (t *tree) needless() (reap []func()) {
	for _, p := range t.leaders {
		needed := p.left == 0 || len(reap) == len(t.leaders)-1
		for _, m := range t.members.known {
			needed = needed || m.kin.session == p.PID || m.kin.group == p.PID
		}
		if !needed {
			reap = append(reap, p.Reap)
		}
	}
	return reap
}

// began is before the birth of all whose descendants are looked for.
func (t *tree) began() time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	began := time.Now()
	for _, p := range t.leaders {
		if p.birth.time.Before(began) {
			began = p.birth.time
		}
	}
	return began
}

// origins returns those whose leaders run, or have not been reaped.
func (h *Host) origins() map[origin]bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	origins := make(map[origin]bool, len(h.leaders)+len(h.unborn))
	for _, p := range h.leaders {
		origins[p.origin] = true
	}
	for p := range h.unborn {
		origins[p.origin] = true
	}
	return origins
}

// ticks returns the present in clock ticks since boot, as proc_pid_stat(5) tells when a
// process was forked. There are 100 in a second (USER_HZ) on all systems that Go knows.
func ticks() uint64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return 0
	}
	return uint64(now.Nano()) / uint64(tick)
}

const tick = 10 * time.Millisecond

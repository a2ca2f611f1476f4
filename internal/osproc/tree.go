package osproc

import (
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/ending"
)

// tree is everything with one ID, from the moment when something of it must end or is
// left alive until nothing is left: the leader of the present incarnation, the leaders
// of earlier incarnations that left descendants alive, and all their descendants.
// Package ending decides which process gets which signal. A tree signals the leaders
// and their groups, and the sweeper signals the others.
//
// Of locks, a tree's comes before all others.
type tree struct {
	host   *Host
	origin origin

	mu      sync.Mutex
	leaders []*Process // that are not reaped
	over    bool       // they all are
	ledger  ending.Ledger
	narrow  bool        // the leaders alone are to end
	hearing []int       // who may be forking, and has not been seen to have heard the signal
	unheard time.Time   // when that was last so
	timer   *time.Timer // until something is due by the passing of time
	due     time.Time   // when that is
	gone    []func()    // to be called when nothing is left but leaders that have exited
	members members     // the descendants that were found
}

// tree returns the one that p belongs to, nil if p's leader has been reaped.
func (p *Process) tree() *tree {
	h := p.host
	for !p.isReaped() {
		h.mu.Lock()
		t := h.trees[p.origin]
		if t == nil {
			t = &tree{host: h, origin: p.origin}
			h.trees[p.origin] = t
		}
		h.mu.Unlock()
		if t.join(p) {
			return t
		}
	}
	return nil
}

// treeOf returns the tree of an origin, nil if there is none.
func (h *Host) treeOf(o origin) *tree {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trees[o]
}

// join adds a leader, unless it has been reaped or the tree is over.
func (t *tree) join(p *Process) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.over || p.isReaped():
		return false
	case !slices.Contains(t.leaders, p):
		t.leaders = append(t.leaders, p)
		if p.hasHadIt() {
			t.ledger.Note(p.being(), false)
		}
	}
	return true
}

// reapedFrom forgets a leader that has been reaped.
func (t *tree) reapedFrom(p *Process) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.leaders = slices.DeleteFunc(t.leaders, func(other *Process) bool { return other == p })
	if len(t.leaders) > 0 || t.over {
		return
	}
	t.over = true
	t.disarm()
	t.host.mu.Lock()
	defer t.host.mu.Unlock()
	delete(t.host.trees, t.origin)
}

// stop ends the tree, or if narrow the leaders alone. If it is being ended already, that
// can only become sooner and wider.
func (t *tree) stop(stop ending.Stop, narrow bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	begins := !t.ledger.Begun() || t.narrow && !narrow
	if t.narrow && !narrow {
		alone := t.ledger.At
		t.ledger.Alone = &alone
	}
	due := t.ledger.Ask(stop, now)
	t.narrow = narrow && (t.narrow || begins)
	if due != 0 || begins {
		t.send(now, begins)
		if !t.narrow && !t.isBare() {
			t.host.sweep.ask(t)
			if len(t.hearing) > 0 {
				t.awaitHearing()
			}
		}
	}
	t.arm(now)
}

// send sends the leaders and their groups what is due to them.
func (t *tree) send(now time.Time, begins bool) {
	if t.ledger.Killing() {
		if !begins && !t.narrow && !t.lives() {
			return // nothing is known to be left: should a look find something, that is killed
		}
		t.tellKilled()
	}
	switch {
	case t.narrow:
		if begins {
			t.host.sweep.noteMoment(t, nil)
		}
	case t.ledger.Killing():
		t.killGroups()
	case begins:
		t.signalGroups()
	}
	t.signalLeaders(now)
}

// tellKilled tells that the deadline has come, and something gets SIGKILL. It reports whether
// that is news.
func (t *tree) tellKilled() (news bool) {
	for _, p := range t.leaders {
		if !p.killed {
			p.killed, news = true, true
			p.notify(&Killed{event{p}})
		}
	}
	return news
}

func (t *tree) killGroups() {
	for _, p := range t.leaders {
		p.Signal(syscall.SIGKILL)
	}
}

// signalGroups sends each group the stop signal as a whole, which is atomic with fork(2):
// who is forked later is forked by one that has had it. A group whose leader has had it
// alone does not get it: its members are found one by one.
func (t *tree) signalGroups() {
	var groups []*Process
	for _, p := range t.leaders {
		if !t.host.sweep.findsMembers() || p.hasExited() || !t.ledger.Knows(p.being()) {
			p.whole = true
			groups = append(groups, p)
		}
	}
	newest := t.host.sweep.noteMoment(t, groups)
	t.unheard = time.Now()
	for _, p := range groups {
		p.Signal(t.ledger.Signal())
	}
	if len(newest) >= storm { // whatever was forked since the moment, it was more likely before the signal
		t.unheard = time.Now()
	}
	t.noteLast()
	t.noteNewest(newest)
	for _, p := range groups {
		p.Signal(sigCont) // so that who is stopped hears it
	}
}

// awaitHearing looks on while those who may be forking hear the signal. A fork that was under
// way when it was sent gets its number before that. If many are being ended at once that is
// too dear.
func (t *tree) awaitHearing() {
	if t.host.onlookers.Add(1) <= maxOnlookers {
		go t.lookOn()
	} else {
		t.host.onlookers.Add(-1)
	}
}

func (t *tree) lookOn() {
	defer t.host.onlookers.Add(-1)
	for begun := time.Now(); !t.noteAfter() && time.Since(begun) < maxHearing; {
		time.Sleep(fork / 3)
	}
}

// maxOnlookers is how many trees are looked on at once.
const maxOnlookers = 8

// noteAfter notes how far the process IDs have come while somebody had not heard the signal
// who may fork, or so shortly after that, that those are of forks that were under way. It
// reports whether all have heard it.
func (t *tree) noteAfter() (heard bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, last := time.Now(), t.host.sweep.lastPID()
	t.hearing = slices.DeleteFunc(t.hearing, func(pid int) bool { return !dispositionsOf(pid).isYetToHear(t.ledger.Signal()) })
	if len(t.hearing) > 0 {
		t.unheard, t.ledger.At.After = now, last
		return false
	}
	t.noteLast()
	return true
}

// noteLast is noteAfter once they have heard it.
func (t *tree) noteLast() {
	if last := t.host.sweep.lastPID(); time.Since(t.unheard) <= fork {
		t.ledger.At.After = last
	}
}

const (
	// fork is less than it takes to hear a signal and to fork then.
	fork = 150 * time.Microsecond

	// maxHearing is how long to look on. Nobody takes longer to hear a signal but who is
	// traced, or gets no CPU time.
	maxHearing = 20 * time.Millisecond
)

// hears reports what a process on a terminal makes of the stop signal: it is deaf to it, or
// handles it and is to be spared the hang-up.
func (t *tree) hears(pid int) (deaf, spared bool) {
	sig, does := t.ledger.Signal(), dispositionsOf(pid)
	return does.ignores(sig), does.spares(sig)
}

// signalLeaders sends the leaders that live what is due to them. They are looked at
// without a look at the process table.
func (t *tree) signalLeaders(now time.Time) {
	var seen ending.Snapshot
	living := map[int]*Process{}
	for _, p := range t.leaders {
		if p.hasExited() {
			continue
		}
		living[p.PID] = p
		seen.Terminal = seen.Terminal || p.terminal != nil
		member := ending.Member{Being: p.being(), Grouped: p.whole && !hasLeft(p.PID)}
		if p.terminal != nil {
			member.Deaf, member.Spared = t.hears(p.PID)
		}
		seen.Members = append(seen.Members, member)
	}
	dues, _ := t.ledger.Decide(seen, now)
	for _, due := range dues {
		for _, sig := range t.withCont(due.Signals) {
			living[due.PID].SignalLeader(sig)
		}
	}
}

// withCont returns what is due, followed by SIGCONT, so that who is stopped hears it.
func (t *tree) withCont(due []syscall.Signal) []syscall.Signal {
	if t.ledger.Killing() {
		return due
	}
	return append(due, sigCont)
}

// arm waits for what is due by the passing of time. A timer that is due before goes on, and
// arms again.
func (t *tree) arm(now time.Time) {
	after := t.ledger.Left(now)
	if half := t.ledger.UntilHalf(now); half > 0 && t.onTerminal() {
		after = half
	}
	switch due := now.Add(after); {
	case t.ledger.Killing():
		t.disarm()
	case after > 0 && (t.timer == nil || due.Before(t.due)):
		t.disarm()
		t.due = due
		t.timer = time.AfterFunc(after, t.elapsed)
	}
}

func (t *tree) disarm() {
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

// elapsed is called when half of the grace of what is on a terminal, or the deadline, has
// passed. Who has ended by then gets nothing, and is not told to have been killed.
func (t *tree) elapsed() {
	for _, p := range t.late() {
		p.Look()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	if t.timer == nil || now.Before(t.due) {
		return // it was armed again meanwhile, or is needed no more
	}
	t.timer = nil
	if t.ledger.Pass(now) != 0 || t.onTerminal() {
		t.send(now, false)
		if !t.narrow {
			t.host.sweep.ask(t)
		}
	}
	t.arm(now)
}

// late gives what may have been stopped together with this program a moment, if the timer
// comes late, and answers the leaders.
func (t *tree) late() []*Process {
	t.mu.Lock()
	due := t.due
	t.mu.Unlock()
	time.Sleep(ending.Overtime(due, time.Now()))
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.leaders)
}

// lives reports whether something of the tree is known to live.
func (t *tree) lives() bool {
	return slices.ContainsFunc(t.leaders, func(p *Process) bool { return !p.hasExited() }) || t.members.live()
}

func (t *tree) onTerminal() bool {
	return slices.ContainsFunc(t.leaders, func(p *Process) bool { return p.terminal != nil })
}

// await has done called when nothing of the tree is left but leaders that have exited.
func (t *tree) await(done func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gone = append(t.gone, done)
	t.host.sweep.ask(t)
}

// isBare reports whether it can be seen at a glance that there is nothing but one leader.
// t.mu is locked.
func (t *tree) isBare() bool {
	return len(t.leaders) == 1 && t.members.count() == 0 && t.host.sweep.childless(t.leaders[0])
}

// nothingBut is isBare for p's leader.
func (t *tree) nothingBut(p *Process) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.isBare() && t.leaders[0] == p
}

// StopLeft ends the descendants that were left alive by the leaders of an ID, see
// Leave, and calls gone when nothing of them is left. It returns whether there are any.
func (h *Host) StopLeft(id string, stop ending.Stop, gone func()) bool {
	t := h.treeOf(h.origin(id))
	if t == nil {
		return false
	}
	t.stop(stop, false)
	t.await(gone)
	return true
}

// HasLeft reports whether the leaders of an ID have left descendants alive.
func (h *Host) HasLeft(id string) bool { return h.treeOf(h.origin(id)) != nil }

// StopAllLeft ends, by the deadline, everything that was left alive, each by its own stop
// signal, and whatever carries the engine's mark or variables and belongs to no process.
func (h *Host) StopAllLeft(deadline time.Time) {
	h.mu.Lock()
	trees := slices.Collect(maps.Values(h.trees))
	h.mu.Unlock()
	for _, t := range trees {
		if sig := t.left(); sig != 0 {
			t.stop(ending.Stop{Signal: sig, Deadline: deadline}, false)
		}
	}
	h.sweep.stopStrays(deadline)
}

// left returns the signal that ends what was left alive, 0 if nothing was.
func (t *tree) left() syscall.Signal {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.leaders {
		if p.left != 0 {
			return p.left
		}
	}
	return 0
}

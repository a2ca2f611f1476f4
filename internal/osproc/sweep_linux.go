package osproc

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/ending"
)

// sweeper looks at the process table for the descendants of what is to end, and has
// package ending decide what each of them gets. A look is made for a cause: something
// is to end, a leader has exited, a member has ended whose children may be orphans now.
// One look serves all trees that have a cause by then.
type sweeper struct {
	host   *Host
	table  *procTable
	strays *tree // what carries the engine's mark, and belongs to no process

	settled atomic.Pointer[birth] // all up to this one are known to be too old for a glance

	// The goroutine's alone.
	owed   time.Duration // rest, at the end of the last look
	rested time.Time     // since then

	mu      sync.Mutex
	due     map[*tree]bool // to be looked at
	gone    []departed     // leaders that were reaped since the last look
	running bool
	runs    sync.WaitGroup
	closed  bool
}

func newSweeper(h *Host) *sweeper {
	return &sweeper{host: h, table: openProcTable(), strays: &tree{host: h}, due: map[*tree]bool{}}
}

func (s *sweeper) birth() birth { return s.table.birth() }

func (s *sweeper) lastPID() int { return s.table.lastPID() }

// findsMembers reports whether a look finds the members of a group, too.
func (s *sweeper) findsMembers() bool { return true }

// ask has t looked at soon.
func (s *sweeper) ask(t *tree) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.due[t] = true
	if !s.running && !s.closed {
		s.running = true
		s.runs.Go(s.run)
	}
}

// take returns what is to be looked at. If there is nothing, the goroutine ends.
func (s *sweeper) take() (trees []*tree) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for t := range s.due {
		if !s.closed {
			trees = append(trees, t)
		}
	}
	clear(s.due)
	s.running = len(trees) > 0
	return trees
}

func (s *sweeper) isDue(t *tree) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.due[t]
}

func (s *sweeper) run() {
	for trees := s.take(); len(trees) > 0; trees = s.take() {
		begun := time.Now()
		complete := s.look(trees)
		for _, t := range trees {
			t.signalMembers(complete)
			s.settle(t, complete)
		}
		s.rest(begun)
	}
}

// rest pauses after a look that has begun then, so that looking takes half of one core at
// the most, but for a few looks in a row.
func (s *sweeper) rest(begun time.Time) {
	owed := max(0, s.owed-begun.Sub(s.rested))
	s.rested = time.Now()
	s.owed = owed + s.rested.Sub(begun)
	if s.owed > maxPause {
		time.Sleep(min(s.owed-maxPause, maxPause))
	}
}

const (
	// maxPause is the longest time between two looks, if there is cause to look.
	maxPause = 20 * time.Millisecond

	// maxBlind is how often a look is repeated that could not see everything: with
	// maxPause between them that is 2 s, in which descriptors may become free.
	maxBlind = 100

	// maxRounds is how often a look goes on to processes that were forked during it,
	// until it counts as one that could not see everything, and is repeated soon.
	maxRounds = 100
)

// settle tells that nothing is left of t, if that is so.
func (s *sweeper) settle(t *tree, complete bool) {
	t.mu.Lock()
	if !complete && t.members.blind < maxBlind {
		t.members.blind++
		time.AfterFunc(maxPause, func() { s.ask(t) })
		t.mu.Unlock()
		return
	}
	t.members.blind = 0
	var gone []func()
	switch {
	case s.isDue(t): // something has happened meanwhile
	case t.members.living == 0:
		gone, t.gone = t.gone, nil
	default:
		gone = t.needless()
	}
	t.mu.Unlock()
	for _, f := range slices.Backward(gone) { // who asked later wants to know; the leader is reaped at last
		f()
	}
}

// look finds the living descendants of trees. It returns whether it could look
// everywhere.
func (s *sweeper) look(trees []*tree) (complete bool) {
	f := finder{host: s.host, table: s.table, self: os.Getpid(), trees: map[origin]*tree{}}
	oldest := time.Now()
	for _, t := range trees {
		switch {
		case !t.lookBegins():
			continue
		case t == s.strays:
			f.strays, f.current, oldest = t, s.host.origins(), time.Time{}
			continue
		}
		f.trees[t.origin] = t
		if began := t.began(); began.Before(oldest) {
			oldest = began
		}
	}
	then := s.table.seen
	pids, moment := s.table.candidates(s.takeGone(), oldest)
	for pid, absent := range pids {
		s.examine(&f, pid, absent)
	}
	for rounds := 0; !f.blind; rounds++ {
		if s.table.hides(then, moment) || rounds == 0 && f.strays != nil && s.table.chosen {
			s.examineAll(&f) // at the end in any case: on a busy machine the counts may agree by chance
		}
		// What had ended when it was looked at may have forked before.
		then = moment
		pids, any := s.table.newer(&moment)
		if !any && !s.table.hides(then, moment) {
			s.table.seen = moment
			return true
		}
		for pid := range pids {
			s.examine(&f, pid, time.Time{})
		}
		f.blind = f.blind || rounds == maxRounds
	}
	return false
}

// examine looks at one process, which was absent since then if ever.
func (s *sweeper) examine(f *finder, pid int, absent time.Time) {
	if pid == f.self || s.host.isOwn(pid) {
		return // a leader is signalled with its group, and known to run or not
	}
	if before, known := s.table.ours[pid]; known && f.tree(before).has(pid) {
		return
	}
	found := f.find(pid)
	if found.sight == ours && s.host.isBearing(&found.origin) && isChild(pid) {
		found, f.blind = finding{sight: hidden}, true // it may be the leader: it is known soon
	}
	s.table.remember(pid, absent, found)
	if f.tree(found) != nil {
		s.add(f, pid)
	}
}

// examineAll looks at all processes, whatever their process IDs are. If everything of the
// engine has a mark, that tells which of them to look at.
func (s *sweeper) examineAll(f *finder) {
	for pid := range s.table.allPIDs {
		if s.host.marks {
			if limit, err := limitOf(pid); err != nil || !isMark(limit) || limit.Max&hashMask != f.host.hash {
				continue
			}
		}
		s.examine(f, pid, time.Time{})
	}
}

// add opens a descendant, and makes sure that it is still one and not a stranger with
// its number. One that may not be signalled, because it belongs to another user now, is
// left alone: nothing could end it.
func (s *sweeper) add(f *finder, pid int) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil { // it has ended, or it is a thread of something else that is found
		f.note(err)
		return
	}
	if hasExited(pidfd) {
		bury(pidfd)
		unix.Close(pidfd)
		return
	}
	t := f.tree(f.find(pid))
	if t == nil || s.host.isOwn(pid) {
		unix.Close(pidfd)
		return
	}
	m, err := t.found(pid, pidfd)
	switch {
	case err != nil:
		f.note(err)
		unix.Close(pidfd)
	case s.host.poller.add(pidfd, m) != nil:
		t.lost(m)
		f.blind = true
	}
}

// stopStrays ends by the deadline what carries the engine's mark, and belongs to no
// process.
func (s *sweeper) stopStrays(deadline time.Time) {
	s.strays.stop(ending.Stop{Signal: syscall.SIGTERM, Deadline: deadline}, false)
}

// close ends everything that carries the engine's mark, and frees the sweeper. What
// cannot be ended is waited for a while.
func (s *sweeper) close(deadline time.Time) {
	s.stopStrays(deadline)
	gone := make(chan struct{})
	s.strays.await(func() { close(gone) })
	last := time.Now().Add(max(0, time.Until(deadline)) + unkillable)
	select {
	case <-gone:
	case <-time.After(time.Until(last)):
		select {
		case <-gone:
		case <-time.After(ending.Overtime(last, time.Now())):
		}
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.runs.Wait()
	s.table.close()
}

package osproc

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// sweeper ends what leaders spawned. One look at the process table serves every
// process that ended in the last moments: requests that come while it looks are
// served together by the next look.
type sweeper struct {
	host  *Host
	table *procTable

	mu      sync.Mutex
	targets map[owner]*target // by their descendants' owner, 0 for everything of the engine
	gone    []departed        // leaders that were reaped since the last look
	running bool
	wake    chan struct{}
}

// target is a process whose descendants are to be ended.
type target struct {
	owner   owner    // 0 for everything of the engine
	process *Process // nil for everything of the engine

	// Protected by the sweeper's mutex.
	signal syscall.Signal // what to send
	look   bool           // look at the process table soon
	done   []func()       // to be called when none is left; none: one look is all
	alive  int            // descendants that were found and have not ended yet

	// Used by the sweeper's goroutine alone.
	found  []*descendant    // what the last look found
	blind  int              // looks that could not see everything
	had    *map[int]receipt // what was sent to those outside the group, by process ID
	unborn bool             // the last look found one that was forked, and has not executed a program
	births int              // looks for the sake of such
}

// descendant is a process that was found, and is known not to be a stranger.
type descendant struct {
	sweeper *sweeper
	target  *target
	pidfd   int
	ended   bool
}

// readable is called by the poller: the descendant has ended.
func (d *descendant) readable() {
	d.sweeper.mu.Lock()
	defer d.sweeper.mu.Unlock()
	if d.ended {
		return
	}
	d.ended = true
	if d.target.alive--; d.target.alive == 0 {
		d.sweeper.nudge()
	}
}

func newSweeper(h *Host) *sweeper {
	return &sweeper{host: h, table: openProcTable(), targets: map[owner]*target{}, wake: make(chan struct{}, 1)}
}

func (s *sweeper) birth() birth { return s.table.birth() }

func (s *sweeper) lastPID() int { return s.table.lastPID() }

// findsMembers reports whether a look finds the members of a group, too.
func (s *sweeper) findsMembers() bool { return true }

// stop sends sig to the descendants of p that left its group; p's leader still
// runs.
func (s *sweeper) stop(p *Process, sig syscall.Signal) { s.request(p, sig, nil) }

// end ends the descendants of p with sig, and calls done when p's leader has
// exited and none of them is left.
func (s *sweeper) end(p *Process, sig syscall.Signal, done func()) { s.request(p, sig, done) }

func (s *sweeper) request(p *Process, sig syscall.Signal, done func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := &target{process: p, had: new(map[int]receipt)}
	if p != nil {
		t.owner, t.had = p.owner, &p.had
	}
	if known := s.targets[t.owner]; known != nil {
		t = known
	} else {
		s.targets[t.owner] = t
	}
	t.signal, t.look = sig, true
	if done != nil {
		t.done = append(t.done, done)
	}
	if !s.running {
		s.running = true
		go s.run()
		return
	}
	s.nudge()
}

// nudge wakes the sweeper's goroutine.
func (s *sweeper) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// close ends everything that carries the engine's mark, and frees the sweeper.
func (s *sweeper) close(deadline time.Time) {
	gone := make(chan struct{})
	s.request(nil, syscall.SIGTERM, func() { close(gone) })
	select {
	case <-gone:
	case <-time.After(time.Until(deadline)):
		killed := make(chan struct{})
		s.request(nil, syscall.SIGKILL, func() { close(killed) })
		<-gone
		<-killed
	}
	s.table.close()
}

// run looks, signals and waits until no target is left.
func (s *sweeper) run() {
	for {
		took := s.lookIfNeeded()
		left, blind := s.left()
		if left == 0 {
			return
		}
		time.Sleep(min(took, maxPause)) // looking takes half of one core at the most
		if blind {
			s.pause()
			continue
		}
		<-s.wake
	}
}

// pause waits for what may let a look see more: a while, or less if all that was found
// has ended meanwhile.
func (s *sweeper) pause() {
	timer := time.NewTimer(maxPause)
	defer timer.Stop()
	select {
	case <-s.wake:
	case <-timer.C:
	}
}

// maxPause is the longest time between two looks, if there is cause to look.
const maxPause = 20 * time.Millisecond

// left is how many targets there are, and whether one is to be looked at again
// without a cause. If there are none, the goroutine ends.
func (s *sweeper) left() (n int, blind bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range s.targets {
		blind = blind || (t.look && t.blind+t.births > 0)
	}
	s.running = len(s.targets) > 0
	return len(s.targets), blind
}

// lookIfNeeded looks at the process table if a target asks for it, or if all
// that was found of one has ended. It answers how long that took.
func (s *sweeper) lookIfNeeded() (took time.Duration) {
	begun := time.Now()
	for {
		s.mu.Lock()
		var targets []*target
		for _, t := range s.targets {
			if t.look || t.alive == 0 {
				t.look, t.unborn = false, false
				targets = append(targets, t)
			}
		}
		s.mu.Unlock()
		if len(targets) == 0 {
			return time.Since(begun)
		}
		for _, t := range targets {
			s.forget(t) // this look finds what is still there
		}
		complete := s.look(targets)
		again := false
		for _, t := range targets {
			again = s.finish(t, complete) || again
		}
		if !again {
			return time.Since(begun)
		}
	}
}

// finish tells that nothing is left of t, if that is so. It answers whether what
// was found has ended meanwhile, so that another look is due.
func (s *sweeper) finish(t *target, complete bool) (again bool) {
	s.mu.Lock()
	switch {
	case !complete && t.blind < maxBlind:
		t.blind++
		t.look = true
		s.mu.Unlock()
		return false
	case t.unborn && t.births < maxBirths:
		t.births++
		t.look = true
		s.mu.Unlock()
		return false
	case t.look || (len(t.done) > 0 && len(t.found) > 0):
		again = t.look || t.alive == 0
		s.mu.Unlock()
		return again
	}
	done := t.done
	delete(s.targets, t.owner)
	s.mu.Unlock()
	s.forget(t)
	for _, f := range done {
		f()
	}
	return false
}

// maxBlind is how often a look is repeated that could not see everything: with
// maxPause between them that is 2 s, in which descriptors may become free.
const maxBlind = 100

// maxBirths is how often a look is repeated for the sake of what is not born yet:
// with maxPause between them that is 1 s, which is plenty. Some never execute a
// program.
const maxBirths = 50

// forget forgets what the last look found.
func (s *sweeper) forget(t *target) {
	s.mu.Lock()
	t.alive = 0
	for _, d := range t.found {
		d.ended = true // as far as this matters
	}
	s.mu.Unlock()
	for _, d := range t.found {
		s.host.poller.drop(d.pidfd)
		unix.Close(d.pidfd)
	}
	clear(t.found)
	t.found = t.found[:0]
}

// look finds the living descendants of targets and signals them. It answers
// whether it could look everywhere.
func (s *sweeper) look(targets []*target) (complete bool) {
	f := finder{host: s.host, table: s.table, self: os.Getpid(), targets: map[owner]*target{}}
	oldest := time.Now()
	for _, t := range targets {
		if t.process == nil {
			f.all, oldest = t, time.Time{}
			continue
		}
		if t.process.birth.time.Before(oldest) {
			oldest = t.process.birth.time
		}
		f.targets[t.owner] = t
	}
	then := s.table.seen
	pids, moment := s.table.candidates(s.takeGone(), oldest)
	for pid, absent := range pids {
		s.examine(&f, pid, absent)
	}
	for rounds := 0; !f.blind; rounds++ {
		if s.table.hides(then, moment) {
			s.examineMarked(&f)
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

// maxRounds is how often a look goes on to processes that were forked during it,
// until it counts as one that could not see everything, and is repeated soon.
const maxRounds = 100

// examine looks at one process, which was absent since then if ever, and signals it
// if it is a descendant of a target.
func (s *sweeper) examine(f *finder, pid int, absent time.Time) {
	if pid == f.self || s.host.isOwn(pid) {
		return // a leader is signalled with its group, and known to run or not
	}
	found := f.find(pid)
	if found.sight == ours && s.host.isBearing(&found.owner) && isChild(pid) {
		found, f.blind = finding{sight: hidden}, true // it may be the leader: it is known soon
	}
	s.table.remember(pid, absent, found)
	if f.target(found) != nil {
		s.signal(f, pid)
	}
}

// examineMarked looks at all processes that have the engine's mark, whatever their
// process IDs are.
func (s *sweeper) examineMarked(f *finder) {
	for pid := range s.table.allPIDs {
		if s.table.isKnown(pid) {
			continue
		}
		if limit, err := limitOf(pid); err == nil && isMark(limit) && limit.Max&hashMask == f.host.hash {
			s.examine(f, pid, time.Time{})
		}
	}
}

// signal opens a descendant, makes sure that it is still one and not a stranger with
// its number, and sends it what it has not had yet. One that may not be signalled,
// because it belongs to another user now, is left alone: nothing could end it.
func (s *sweeper) signal(f *finder, pid int) {
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil { // it has ended, or it is a thread of something else that is found
		f.note(err)
		return
	}
	t := f.target(f.find(pid))
	exited := hasExited(pidfd)
	if exited {
		bury(pidfd)
	}
	if t == nil || exited || s.host.isOwn(pid) || unix.PidfdSendSignal(pidfd, 0, nil, 0) != nil {
		unix.Close(pidfd)
		return
	}
	s.mu.Lock()
	sig := t.signal
	t.alive++
	s.mu.Unlock()
	s.deliver(f, t, pid, pidfd, sig)
	d := &descendant{sweeper: s, target: t, pidfd: pidfd}
	t.found = append(t.found, d)
	if s.host.poller.add(pidfd, d) != nil {
		f.blind = true
	}
}

// deliver sends sig to a descendant that has not had it: the group's members get it
// with the group, if they were there in time, and the others alone. So does one
// that has been born since, see receipt.
func (s *sweeper) deliver(f *finder, t *target, pid, pidfd int, sig syscall.Signal) {
	kin, _ := kinOf(pid)
	unborn := sig != unix.SIGKILL && kin.isForked()
	t.unborn = t.unborn || unborn
	before := (*t.had)[pid]
	born := before == receipt{sig, true} && !unborn
	alone := !f.inGroup(t, pid) || t.process.missed(sig, pid)
	switch {
	case born, alone && before.signal != sig:
		unix.PidfdSendSignal(pidfd, sig, nil, 0)
		if sig != unix.SIGKILL {
			unix.PidfdSendSignal(pidfd, unix.SIGCONT, nil, 0)
		}
	case !alone:
		t.process.StopGroup(sig) // once for all of them
	}
	if alone || born || unborn {
		if *t.had == nil {
			*t.had = map[int]receipt{}
		}
		(*t.had)[pid] = receipt{sig, unborn}
	}
}

package osproc

import (
	"bytes"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// procTable is what /proc tells an engine about all processes (proc(5)).
type procTable struct {
	proc    *os.File     // the directory
	open    sync.RWMutex // held for writing by close
	loadavg *os.File     // ends with the last process ID that was given out; nil once closed
	stat    *os.File     // counts the forks since boot; likewise
	pidMax  atomic.Int64 // process IDs are below, 0 if unknown; it can be raised
	chosen  bool         // what is ours can choose its process IDs
	forks   atomic.Int64 // the count when it was last looked at
	buf     []byte       // for stat, and for environments

	seen   birth           // all that was there then has been looked at
	ours   map[int]finding // what was found to be of this engine, by process ID
	hidden []int           // what could not be looked at
	absent []absence
	spare  []absence // memory for the next absent
}

// absence is a process ID of which there was nothing to be seen.
type absence struct {
	pid   int
	since time.Time // after it was given out
}

// birth is a moment in the life of the process table. A process that was forked
// after it has a process ID above last, up to the last one at a later moment,
// unless the numbers have wrapped in between.
type birth struct {
	last  int       // the last process ID given out, if known
	forks int64     // at least this many forks had been done since boot, -1 if unknown
	time  time.Time // when
}

func openProcTable() *procTable {
	t := &procTable{buf: make([]byte, 64<<10), ours: map[int]finding{}}
	t.proc, _ = os.Open("/proc")
	t.loadavg, _ = os.Open("/proc/loadavg")
	t.stat, _ = os.Open("/proc/stat")
	t.pidMax.Store(readPIDMax())
	t.chosen = canChoose()
	t.seen.time = time.Now()
	t.seen.forks = t.countForks()
	t.seen.last = t.lastPID()
	return t
}

// readPIDMax reads the number below which process IDs are, 0 if it cannot.
func readPIDMax() int64 {
	text, _ := os.ReadFile("/proc/sys/kernel/pid_max")
	limit, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return limit
}

// maxPID returns the number below which process IDs were when that was last looked at.
func (t *procTable) maxPID() int { return int(t.pidMax.Load()) }

func (t *procTable) close() {
	t.open.Lock()
	defer t.open.Unlock()
	t.proc.Close()
	t.loadavg.Close()
	t.stat.Close()
	t.loadavg, t.stat = nil, nil
}

// birth returns the present moment, as cheaply as can be: the fork count is the one
// that was last looked at, which only makes the search wider.
func (t *procTable) birth() birth {
	return birth{forks: t.forks.Load(), time: time.Now()}
}

// readStart reads the beginning of a file of t into buf, by one call, because each
// makes the kernel write the text anew. It is empty if that cannot be done.
func (t *procTable) readStart(file **os.File, buf []byte) []byte {
	t.open.RLock()
	defer t.open.RUnlock()
	if *file == nil {
		return nil
	}
	return buf[:preadPrompt(int((*file).Fd()), buf)]
}

// lastPID reads the fifth field of /proc/loadavg, 0 if it cannot.
func (t *procTable) lastPID() int {
	var buf [128]byte
	text := bytes.TrimSpace(t.readStart(&t.loadavg, buf[:]))
	last, _ := strconv.Atoi(string(text[bytes.LastIndexByte(text, ' ')+1:]))
	return last
}

// countForks reads the line "processes N" of /proc/stat.
func (t *procTable) countForks() int64 {
	_, rest, found := bytes.Cut(t.readStart(&t.stat, t.buf), []byte("\nprocesses "))
	line, _, ended := bytes.Cut(rest, []byte("\n"))
	count, err := strconv.ParseInt(string(line), 10, 64)
	if !found || !ended || err != nil {
		return -1
	}
	t.forks.Store(count)
	return count
}

// young is an age at which the process IDs cannot have wrapped since: that
// would take more than a million forks a second.
const young = 20 * time.Millisecond

func (b birth) isYoung(now birth) bool { return now.time.Sub(b.time) < young }

// isRecent is isYoung as far as this machine's greatest process ID allows.
func (t *procTable) isRecent(b, now birth) bool {
	return now.time.Sub(b.time) < max(young, time.Duration(t.maxPID()/2)*time.Microsecond)
}

// comparable reports whether the process IDs cannot have wrapped between b and
// the later moment now.
func (b birth) comparable(now birth, pidMax int) bool {
	if now.last == 0 || pidMax == 0 {
		return false
	}
	known := b.forks >= 0 && now.forks >= 0
	return b.isYoung(now) || known && now.forks-b.forks < int64(pidMax)/2
}

// present returns the present moment, comparable with then. The forks are counted first: what is
// forked in between makes them fewer than the numbers, once, and more at the next moment,
// which is looked into. The other way round it would make up for a number that was chosen.
func (t *procTable) present(then birth) birth {
	now := birth{time: time.Now(), forks: then.forks}
	if t.chosen || !then.isYoung(now) {
		now.forks = t.countForks()
	}
	now.last = t.lastPID()
	if now.last >= t.maxPID() {
		t.pidMax.Store(readPIDMax())
	}
	return now
}

// candidates returns the processes to look at: those that were remembered, and those
// whose process IDs have been given out since the last look. A stranger does not
// become a descendant, so that each process is looked at once, and again only if it
// could not be looked at. seen is to be kept in t.seen if all of them could be.
//
// A process ID is given out early in fork(2), and for a while nothing can be seen
// of it. So what is absent is looked at again, until it has been when it must have appeared,
// but for what is known to be gone, and for what was absent before oldest, which is
// before the birth of all whose descendants are looked for. With each comes since
// when it was absent, if it was.
func (t *procTable) candidates(gone map[int]bool, oldest time.Time) (pids iter.Seq2[int, time.Time], seen birth) {
	now := t.present(t.seen)
	given := t.givenOut(t.seen, now)
	return func(yield func(int, time.Time) bool) {
		t.absent, t.spare = t.spare[:0], t.absent
		again := t.hidden
		t.hidden = nil
		for pid := range t.ours {
			if !yield(pid, time.Time{}) {
				return
			}
		}
		for _, pid := range again {
			if !yield(pid, time.Time{}) {
				return
			}
		}
		for _, a := range t.spare {
			switch {
			case gone[a.pid]:
			case a.since.Before(oldest) && now.time.Sub(a.since) <= maxForking:
				t.absent = append(t.absent, a)
			case !yield(a.pid, a.since):
				return
			}
		}
		for pid := range given {
			if !gone[pid] && !yield(pid, time.Time{}) {
				return
			}
		}
	}, now
}

// newer returns the processes that were forked after the moment seen, which becomes
// the present one, and whether there can be any.
func (t *procTable) newer(seen *birth) (pids iter.Seq[int], any bool) {
	then := *seen
	*seen = t.present(then)
	return t.givenOut(then, *seen), seen.last != then.last
}

// hides reports whether a process may have been forked between two moments whose
// process ID was not given out in order, but chosen (clone3(2), set_tid): there were
// other forks than numbers.
func (t *procTable) hides(then, now birth) bool {
	return t.chosen && now.forks-then.forks != int64(t.distance(then.last, now.last))
}

// canChoose reports whether this program may choose the process IDs of its children, and
// so what it starts.
func canChoose() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if unix.Capget(&header, &caps[0]) != nil {
		return false
	}
	const admin, restore = unix.CAP_SYS_ADMIN, unix.CAP_CHECKPOINT_RESTORE - 32
	return caps[0].Effective&(1<<admin) != 0 || caps[1].Effective&(1<<restore) != 0
}

// givenOut returns the process IDs that were given out between two moments. If it is
// less work than to try each number, or if that cannot be known, they are those of
// all processes but ours, and the last ones that were given out, because of some
// of them there may be nothing to be seen yet.
func (t *procTable) givenOut(then, now birth) iter.Seq[int] {
	count := t.distance(then.last, now.last)
	if then.comparable(now, t.maxPID()) && count <= maxRange {
		return t.upTo(now.last, count)
	}
	recent := maxRange
	if now.last == 0 || t.maxPID() <= maxRange {
		recent = 0
	}
	return func(yield func(int) bool) {
		for pid := range t.allPIDs {
			age := t.distance(pid, now.last)
			if !t.isKnown(pid) && (age < 0 || age >= recent) && !yield(pid) {
				return
			}
		}
		for pid := range t.upTo(now.last, recent) {
			if !t.isKnown(pid) && !yield(pid) {
				return
			}
		}
	}
}

// distance returns how many process IDs are given out from one to a later one: what
// comes after the greatest is the smallest.
func (t *procTable) distance(from, to int) int {
	if to < from {
		to += t.maxPID()
	}
	return to - from
}

// upTo returns the count process IDs that were given out until last was.
func (t *procTable) upTo(last, count int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for n := count - 1; n >= 0; n-- {
			if !yield(t.before(last, n)) {
				return
			}
		}
	}
}

// before returns the process ID that was given out n IDs before last was.
func (t *procTable) before(last, n int) int {
	if pid := last - n; pid > 0 {
		return pid
	}
	return last - n + t.maxPID()
}

// maxForking is the longest that fork(2) is taken to be under way: it needs no
// more than some CPU time.
const maxForking = time.Second

// sight is what was seen of a process ID.
type sight uint8

const (
	nothing  sight = iota // there is no such process, or not yet
	stranger              // it is not of this engine
	ours                  // it is
	hidden                // it cannot be told
)

// finding is what was found out about a process ID.
type finding struct {
	sight
	origin origin // the process that it descends from, if it is ours
	began  uint64 // when it was forked, as kin tells; 0 if its mark tells whose it is
}

// isKnown reports whether pid was found to be of this engine.
func (t *procTable) isKnown(pid int) bool {
	_, known := t.ours[pid]
	return known
}

// remember keeps what matters to the next look: what was found of pid; since is what
// came with pid. It is called while candidates goes through what is ours, so that it
// adds only what was not there before.
func (t *procTable) remember(pid int, since time.Time, found finding) {
	if found.sight == ours {
		t.ours[pid] = found
	} else {
		delete(t.ours, pid)
	}
	switch found.sight {
	case hidden:
		t.hidden = append(t.hidden, pid)
	case nothing:
		now := time.Now()
		if since.IsZero() {
			since = now
		}
		if now.Sub(since) <= maxForking {
			t.absent = append(t.absent, absence{pid, since})
		}
	}
}

// maxRange is the most process IDs that are tried one by one. Trying one that
// does not exist takes a fraction of a microsecond, looking at one that does
// takes ten times as long or more.
const maxRange = 4096

// allPIDs are all processes there are. It reads through one descriptor, which is
// kept: there may be no other to be had when it is needed.
func (t *procTable) allPIDs(yield func(int) bool) {
	t.proc.Seek(0, io.SeekStart)
	for {
		names, err := t.proc.Readdirnames(512)
		for _, name := range names {
			if pid, err := strconv.Atoi(name); err == nil && !yield(pid) {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

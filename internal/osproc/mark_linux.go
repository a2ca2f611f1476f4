package osproc

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/spawn"
)

// The mark is a resource limit, and cannot be lost. The kernel has not used
// RLIMIT_LOCKS since Linux 2.4, but the limit is inherited through fork(2) and every
// execve(2), setuid programs included. Unlike an environment, it cannot be overwritten
// by a program that sets its title. It can be read of a process that is exiting, a
// zombie, undumpable, or in the middle of an execve(2) (prlimit(2)), and of other
// users' processes in /proc/PID/limits. Raising a hard limit needs privileges.
//
// The hard limit identifies the engine, the soft one the process:
//
//	hard  1 | level, 4 bits | hash of the engine's name, 59 bits
//	soft  0 1 | the engine's last 14 bits | the ID's 48 bits
//
// An engine inside an engine must mark what it starts too, and can only lower a
// hard limit. That is why there is a level, which counts down.
const markLimit = unix.RLIMIT_LOCKS

const (
	hardMark   = 1 << 63
	levelShift = 59
	levels     = 15
	levelMask  = levels << levelShift
	hashMask   = 1<<levelShift - 1
	softMark   = 1 << 62
	idMask     = 1<<48 - 1
)

// origin is the process that something descends from, as its soft limit says. It is
// 0 if only the engine is known.
type origin uint64

// hashOf returns the part of the hard limit that identifies the engine.
func hashOf(engine string) uint64 {
	sum := sha256.Sum256([]byte(engine))
	return binary.LittleEndian.Uint64(sum[:]) & hashMask
}

const idPrefix = "proc_"

// originOf returns the origin for the process with that ID. An ID that is not of the usual
// form is hashed.
func originOf(hash uint64, id string) origin {
	var raw [8]byte
	if n, err := hex.Decode(raw[2:], []byte(strings.TrimPrefix(id, idPrefix))); err != nil || n != 6 {
		sum := sha256.Sum256([]byte(id))
		copy(raw[2:], sum[:6])
	}
	return origin(softMark | hash&(1<<14-1)<<48 | binary.BigEndian.Uint64(raw[:])&idMask)
}

// isOf reports whether o may be a process of the engine with that hash.
func (o origin) isOf(hash uint64) bool { return uint64(o)&^idMask == softMark|hash&(1<<14-1)<<48 }

// marking returns the limit that marks a process, one level below what this program has
// itself. There is none where that is finite already, and no mark: that is somebody's
// choice, and left alone.
func marking(hash uint64, o origin) (limit spawn.Limit, possible bool) {
	own, err := limitOf(0)
	level := uint64(levels - 1) // all levels would be next to RLIM_INFINITY
	switch {
	case err != nil:
		return limit, false
	case own.Max == math.MaxUint64:
	case own.Max < hardMark || own.Max&levelMask == 0:
		return limit, false
	default:
		level = own.Max&levelMask>>levelShift - 1
	}
	return spawn.Limit{Resource: markLimit, Soft: uint64(o), Hard: hardMark | level<<levelShift | hash}, true
}

// canMark reports whether this program's children can have a mark.
func canMark() bool {
	_, possible := marking(0, softMark)
	return possible
}

// finds reports whether descendants are found that left their group, and why not all
// that might be.
func (h *Host) finds() (bool, error) {
	switch {
	case h.sweep.lastPID() == 0:
		return false, errors.New("descendants that leave their group are not found: /proc cannot be read")
	case !canMark():
		return true, errors.New("no mark but in environments: the resource limit RLIMIT_LOCKS is taken (ulimit -x)")
	case !h.marks:
		return true, errors.New("no mark but in environments before the program runs")
	}
	return true, nil
}

func (h *Host) origin(id string) origin { return originOf(h.hash, id) }

// limits returns what p's leader is to have from its first instruction on.
func (h *Host) limits(p *Process) []spawn.Limit {
	if limit, possible := marking(h.hash, p.origin); possible {
		return []spawn.Limit{limit}
	}
	return nil
}

// markLate marks a leader that could not be marked before it ran. What it has forked
// by then has the variables only.
func (p *Process) markLate() {
	if p.host.forker.Refusal() != nil {
		for _, limit := range p.host.limits(p) {
			apply(p.PID, limit)
		}
	}
}

// nobodys returns a mark that belongs to no engine. It is empty if this program has no
// mark itself.
func nobodys() []spawn.Limit {
	if own, err := limitOf(0); err != nil || !isMark(own) {
		return nil
	}
	if limit, possible := marking(hashOf(""), softMark); possible {
		return []spawn.Limit{limit}
	}
	return nil
}

func isMark(limit unix.Rlimit) bool { return limit.Max != math.MaxUint64 && limit.Max >= hardMark }

// apply sets a limit of a process that runs already.
func apply(pid int, limit spawn.Limit) {
	unix.Prlimit(pid, limit.Resource, &unix.Rlimit{Cur: limit.Soft, Max: limit.Hard}, nil)
}

// limitOf returns the limit of a process that marks are made of; pid 0 is this one. It is
// unix.ESRCH if there is no such process. The kernel says so, too, when another thread than
// the first executes a program and takes the number over (do_prlimit in kernel/sys.c, which
// has found the first thread and then no signal handlers of it): then it is asked again.
func limitOf(pid int) (limit unix.Rlimit, err error) {
	for range 10 {
		if err = unix.Prlimit(pid, markLimit, nil, &limit); err != unix.ESRCH {
			break
		}
		if _, err := unix.Getpgid(pid); err != nil {
			break
		}
	}
	if err != unix.EPERM {
		return limit, err
	}
	return readLimit(pid) // it is another user's, by now
}

// readLimit reads it in /proc/PID/limits, which everybody may.
func readLimit(pid int) (limit unix.Rlimit, err error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/limits", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return limit, err
	}
	defer closePrompt(fd)
	var buf [2048]byte
	_, rest, _ := bytes.Cut(buf[:preadPrompt(fd, buf[:])], []byte("Max file locks "))
	fields := bytes.Fields(rest)
	if len(fields) < 2 {
		return limit, unix.EIO
	}
	for i, value := range [...]*uint64{&limit.Cur, &limit.Max} {
		if *value, err = strconv.ParseUint(string(fields[i]), 10, 64); err != nil {
			*value = math.MaxUint64 // "unlimited"
		}
	}
	return limit, nil
}

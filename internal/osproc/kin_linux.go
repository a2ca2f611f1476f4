package osproc

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// finder finds out whose descendant an OS process is.
type finder struct {
	host    *Host
	table   *procTable
	self    int              // this program's process ID
	trees   map[origin]*tree // whose descendants are looked for
	strays  *tree            // of what belongs to none of current, nil if that is not looked for
	current map[origin]bool
	blind   bool // something could not be looked at for want of descriptors
}

// find returns what is seen of pid: by its mark, or else by its group, session or parent, by
// what it was found to be before, or by its variables.
func (f *finder) find(pid int) finding {
	limit, err := limitOf(pid)
	switch {
	case err == unix.ESRCH:
		return finding{}
	case err == nil && isMark(limit):
		return f.marked(pid, limit)
	}
	f.note(err)
	kin, statErr := kinOf(pid)
	switch {
	case statErr == unix.ESRCH, statErr == unix.ENOENT && err == nil:
		return finding{} // it has just ended
	case statErr != nil:
		f.note(statErr)
		return finding{sight: hidden}
	case kin.isKernels(), kin.dead: // there is nothing to end
		return finding{sight: stranger}
	}
	if o, isOurs := f.related(kin); isOurs {
		return finding{ours, o, kin.began}
	}
	o, seen := f.variables(kin)
	switch {
	case seen == ours:
		return finding{ours, o, kin.began}
	case seen == stranger && f.adopts(kin):
		return finding{ours, 0, kin.began}
	case err != nil:
		return finding{sight: hidden}
	}
	return finding{sight: seen}
}

// adopts reports whether a process without mark and variables is an orphan that ends
// with this engine, because this is the last engine.
func (f *finder) adopts(k kin) bool {
	return adopts && k.parent == f.self && hosts.only(f.host) && isOrphan(k.pid)
}

// variables returns what the environment variables of a process say. They are for processes
// that have lost the mark, because su(1) or sudo(8) have set their limits anew, and for
// those that never had it. A program can overwrite its environment, and has no visible one
// in the middle of an execve(2) and while it is exiting: then it is looked at again, soon if
// there are no marks.
func (f *finder) variables(k kin) (origin, sight) {
	env, err := f.table.environ(strconv.Itoa(k.pid))
	f.note(err)
	if len(env) == 0 && k.flags&exiting != 0 { // its first thread, that is
		env = f.table.threadEnviron(k.pid)
	}
	switch {
	case len(env) > 0 && f.host.engine != "" && variable(env, VariableEngine) == f.host.engine:
		return f.host.origin(knownAs(variable(env, VariableID), variable(env, VariableProbe) != "")), ours
	case len(env) > 0, k.noEnvironment && k.flags&exiting == 0:
		return 0, stranger
	case err == unix.ENOENT:
		return 0, nothing
	case err == nil || err == unix.ESRCH: // which is the answer once its first thread has ended
		f.blind = f.blind || !f.host.marks
	case f.host.marks:
		return 0, stranger // it may not be read; ours has a mark
	}
	return 0, hidden
}

// note notes that this program, or the machine, has run out of what it takes to look.
func (f *finder) note(err error) {
	f.blind = f.blind || errors.Is(err, unix.EMFILE) || errors.Is(err, unix.ENFILE) || errors.Is(err, unix.ENOMEM)
}

// marked returns what the mark of pid says.
func (f *finder) marked(pid int, limit unix.Rlimit) finding {
	if limit.Max&hashMask != f.host.hash {
		return finding{sight: stranger} // another engine's
	}
	if o := origin(limit.Cur); o.isOf(f.host.hash) {
		return finding{sight: ours, origin: o}
	}
	found := finding{sight: ours} // it has changed its soft limit
	if kin, err := kinOf(pid); err == nil {
		found.origin, _ = f.related(kin)
		found.began = kin.began
	}
	return found
}

// related returns whose a process is by its group, session or parent, or as it was found
// before.
func (f *finder) related(k kin) (origin, bool) {
	for _, number := range [...]int{k.group, k.session, k.parent} {
		if p := f.host.leader(number); p != nil {
			return p.origin, true
		}
	}
	if before, known := f.table.ours[k.pid]; known && before.began == k.began {
		return before.origin, true
	}
	if parent, known := f.table.ours[k.parent]; known {
		return parent.origin, true
	}
	return 0, false
}

// isChild reports whether pid is a child of this program.
func isChild(pid int) bool {
	k, err := kinOf(pid)
	return err == nil && k.parent == os.Getpid()
}

// tree returns the tree that what was found belongs to, nil if it is not looked for.
func (f *finder) tree(found finding) *tree {
	switch t := f.trees[found.origin]; {
	case found.sight != ours:
	case t != nil:
		return t
	case !f.current[found.origin]:
		return f.strays
	}
	return nil
}

// kin is who a process belongs to (proc_pid_stat(5)).
type kin struct {
	pid, parent, group, session int
	flags                       uint64 // PF_* in the kernel's include/linux/sched.h
	noEnvironment               bool   // it was executed with an empty one
	dead                        bool   // it is a zombie, of all of whose threads nothing is left
	busy                        bool   // it runs, or waits for the CPU or the disk
	began                       uint64 // when it was forked, in clock ticks since boot
}

const (
	exiting      = 0x4      // PF_EXITING
	forkedOnly   = 0x40     // PF_FORKNOEXEC
	kernelThread = 0x200000 // PF_KTHREAD
)

func (k kin) isKernels() bool { return k.flags&kernelThread != 0 }

// isForked reports whether it has not executed a program since it was forked.
func (k kin) isForked() bool { return k.flags&forkedOnly != 0 }

// kinOf reads /proc/PID/stat.
func kinOf(pid int) (k kin, err error) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/stat", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return k, err
	}
	defer closePrompt(fd)
	var buf [1024]byte
	text := buf[:preadPrompt(fd, buf[:])]
	fields := append(make([][]byte, 3), bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])...) // as they are numbered
	const state, parent, group, session, flags, threads, began, endCode, envStart, envEnd = 3, 4, 5, 6, 9, 20, 22, 27, 50, 51
	if len(fields) <= envEnd { // it has ended
		return k, unix.ESRCH
	}
	number := func(field int) uint64 {
		n, _ := strconv.ParseUint(string(fields[field]), 10, 64)
		return n
	}
	// In the middle of an execve(2) the end of the code is 0 (load_elf_binary in the
	// kernel's fs/binfmt_elf.c).
	return kin{
		pid: pid, parent: int(number(parent)), group: int(number(group)), session: int(number(session)),
		dead:  number(threads) <= 1 && (fields[state][0] == 'Z' || fields[state][0] == 'X'),
		busy:  fields[state][0] == 'R' || fields[state][0] == 'D',
		flags: number(flags), began: number(began), noEnvironment: number(endCode) != 0 && number(envStart) == number(envEnd),
	}, nil
}

// isNewborn reports whether it may be about to execute a program, and handles sig.
func (k kin) isNewborn(sig syscall.Signal) bool {
	return k.isForked() && k.isFresh(ticks(), newborn) && dispositionsOf(k.pid).caught.has(sig)
}

// isFresh reports whether it was forked so many clock ticks ago, or has got no CPU time
// since, so that it may not have done yet what it was forked for.
func (k kin) isFresh(now, within uint64) bool {
	age := now - k.began
	return age <= within || k.busy && age <= starving
}

// inherits reports whether that it handles sig may be its parent's doing: that handles it,
// too, or has executed another program since, or it has another parent by now.
func (k kin) inherits(sig syscall.Signal) bool {
	return dispositionsOf(k.parent).caught.has(sig) || !executeTheSame(k.pid, k.parent)
}

// executeTheSame reports whether two processes execute the same file (proc_pid_exe(5)).
func executeTheSame(pid, other int) bool {
	var one, another unix.Stat_t
	return unix.Stat("/proc/"+strconv.Itoa(pid)+"/exe", &one) == nil && unix.Stat("/proc/"+strconv.Itoa(other)+"/exe", &another) == nil &&
		one.Dev == another.Dev && one.Ino == another.Ino
}

// newborn is how long after its fork a process is likely to execute a program, if it ever
// does, in clock ticks.
const newborn = 3

// starving is how long that takes at the most if it gets no CPU time.
const starving = 100

// variable returns the value of a variable in an environment as it was read, "" if it has none.
// The environment may be seen while a shell imports it: bash and zsh end each name for
// that time with a NUL in the place of the =.
func variable(env []byte, name string) string {
	for len(env) > 0 {
		entry, rest, _ := bytes.Cut(env, []byte{0})
		switch value, found := bytes.CutPrefix(entry, []byte(name)); {
		case !found:
		case len(value) == 0:
			value, _, _ = bytes.Cut(rest, []byte{0})
			return string(value)
		case value[0] == '=':
			return string(value[1:])
		}
		env = rest
	}
	return ""
}

// threadEnviron returns the environment as another thread has it than the first, which may
// end before the process does.
func (t *procTable) threadEnviron(pid int) []byte {
	threads, _ := filepath.Glob("/proc/" + strconv.Itoa(pid) + "/task/*")
	for _, thread := range threads {
		if env, err := t.environ(strings.TrimPrefix(thread, "/proc/")); err == nil && len(env) > 0 {
			return env
		}
	}
	return nil
}

// environ reads /proc/PROCESS/environ, without the runtime's poller. The answer is
// valid until the next call.
func (t *procTable) environ(process string) ([]byte, error) {
	fd, err := unix.Open("/proc/"+process+"/environ", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	for size := 0; ; {
		if size == len(t.buf) {
			t.buf = append(t.buf, make([]byte, len(t.buf))...)
		}
		n, err := unix.Read(fd, t.buf[size:])
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return t.buf[:size], nil
		default:
			size += n
		}
	}
}

// hasExited reports whether the process is a zombie or gone: its pidfd is then
// readable (pidfd_open(2)).
func hasExited(pidfd int) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

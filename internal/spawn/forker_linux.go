//go:build linux && (amd64 || arm64)

package spawn

import (
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// call is one system call of a script. The assembly knows this layout, and those of
// request and ring.
type call struct {
	mode   mode
	number uintptr
	args   [6]uintptr
	want   uintptr // what it must answer; of a fork, the child's script
}

type mode uintptr

const (
	mustSucceed mode = iota
	mayFail
	mustAnswer
	forks
)

// nothing is the end of a script that does not end with an execve(2).
var nothing = call{number: ^uintptr(0)}

// closeAll lets go of the files of a start.
var closeAll = [...]call{
	{mode: mayFail, number: unix.SYS_CLOSE, args: [6]uintptr{0}},
	{mode: mayFail, number: unix.SYS_CLOSE, args: [6]uintptr{1}},
	{mode: mayFail, number: unix.SYS_CLOSE, args: [6]uintptr{2}},
	nothing,
}

// request is what the thread is to do: the calls of its script, up to the fork, and
// those of the child. It is shared with both, so that it lives on the heap until the
// birth is over.
type request struct {
	failed uintptr       // why a call failed that must not, as an errno
	unborn atomic.Uint32 // 1 until it is over: the kernel clears it (CLONE_CHILD_CLEARTID)
	first  *call         // of script
	script []call
	forked int    // where the child's part of it begins, 0 if it does not fork
	slot   uint32 // where it is in the ring
	args   cloneArgs
	child  atomic.Int32 // its process ID, before it runs (CLONE_PARENT_SETTID)

	// What the calls point to.
	path, dir *byte
	argv, env []*byte
	limits    []unix.Rlimit
	unblocked uint64
}

// cloneArgs is struct clone_args of clone3(2), in its first version.
type cloneArgs [8]uint64

const cloneClearSighand = 0x100000000

// ring is how the thread gets its requests.
type ring struct {
	put, taken atomic.Uint32
	after      *call // the first of what is done after each
	slots      [ringSize]*request
}

const ringSize = 64

// thread is one that forks.
type thread struct {
	credentials credentials
	said        *answers // while it is asked for them
	refusal     error    // why it is of no use
	ring        *ring

	mu     sync.Mutex        // of the ring
	unborn map[*request]bool // which the kernel and a child may write to
}

// startThread starts the thread, which serves r for ever.
//
//go:noescape
func startThread(flags uintptr, r *ring) (tid uintptr)

// newThread makes a thread that forks. Its credentials are those of the calling one.
func newThread() (*thread, error) {
	t := &thread{ring: &ring{after: &nothing}, unborn: map[*request]bool{}}
	runtime.LockOSThread()
	tid := startBlocked(t.ring)
	runtime.UnlockOSThread()
	if int(tid) < 0 {
		return nil, unix.Errno(-tid)
	}
	t.refusal = t.readCredentials()
	if t.refusal == nil {
		t.refusal = t.leaveTable()
	}
	if t.refusal == nil {
		t.refusal = t.try()
	}
	return t, nil
}

// startBlocked starts the thread with all signals blocked. In between this one must not
// be preempted: syscall.AllThreadsSyscall stops the world, and then waits for a signal
// to be handled by every thread of the runtime.
//
//go:nosplit
func startBlocked(r *ring) (tid uintptr) {
	const flags = unix.CLONE_VM | unix.CLONE_FS | unix.CLONE_FILES | unix.CLONE_SIGHAND | unix.CLONE_THREAD | unix.CLONE_SYSVSEM
	all, old := ^uint64(0), uint64(0)
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&all)), uintptr(unsafe.Pointer(&old)), 8, 0, 0)
	tid = startThread(flags, r)
	unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK, uintptr(unsafe.Pointer(&old)), 0, 8, 0, 0)
	return tid
}

// ownPidfd is this process's pidfd in the thread's descriptor table.
const ownPidfd = 3

// leaveTable gives the thread a descriptor table of its own, with nothing in it but a
// pidfd of this process. Until it has that it must touch no descriptor.
func (t *thread) leaveTable() error {
	err := t.do(
		call{mustSucceed, unix.SYS_CLOSE_RANGE, [6]uintptr{0, uintptr(^uint32(0)), unix.CLOSE_RANGE_UNSHARE}, 0},
		call{mustAnswer, unix.SYS_PIDFD_OPEN, [6]uintptr{uintptr(os.Getpid())}, 0},
		call{mustSucceed, unix.SYS_DUP3, [6]uintptr{0, ownPidfd, unix.O_CLOEXEC}, 0},
	)
	if err == nil {
		t.ring.after = &closeAll[0]
	}
	return err
}

// try tries whether the thread can do what it is for.
func (t *thread) try() error {
	none := ^uintptr(0)
	if err := t.do(call{mustSucceed, unix.SYS_PIDFD_GETFD, [6]uintptr{ownPidfd, none}, 0}); err != unix.EBADF {
		return err // it may not get descriptors, not even one that is none
	}
	r := newRequest()
	r.fork()
	r.call(mustSucceed, unix.SYS_EXIT_GROUP, 0)
	t.submit(r)
	r.await(-1)
	if pid := r.child.Load(); pid != 0 {
		reap(int(pid))
	}
	t.forget(r)
	return r.failure()
}

// do has the thread make calls, and waits for that.
func (t *thread) do(calls ...call) error {
	r := newRequest()
	r.script = append(calls, nothing)
	t.submit(r)
	r.await(-1)
	t.forget(r)
	return r.failure()
}

// failure returns why r has failed, nil if it has not.
func (r *request) failure() error {
	if r.failed != 0 {
		return unix.Errno(r.failed)
	}
	return nil
}

func newRequest() *request {
	r := &request{script: make([]call, 0, 20)}
	r.unborn.Store(1)
	return r
}

// call adds a call to the script.
func (r *request) call(m mode, number uintptr, args ...uintptr) *call {
	r.script = append(r.script, call{mode: m, number: number})
	c := &r.script[len(r.script)-1]
	copy(c.args[:], args)
	return c
}

// fork adds the fork: the calls that follow are the child's.
func (r *request) fork() {
	r.args = cloneArgs{
		0: unix.CLONE_VM | cloneClearSighand | unix.CLONE_PARENT_SETTID | unix.CLONE_CHILD_CLEARTID, // flags
		2: uint64(pointer(&r.unborn)),                                                               // child_tid
		3: uint64(pointer(&r.child)),                                                                // parent_tid
		4: uint64(unix.SIGCHLD),                                                                     // exit_signal
	}
	r.call(forks, unix.SYS_CLONE3, pointer(&r.args), unsafe.Sizeof(r.args))
	r.forked = len(r.script)
}

// submit has the thread carry out r.
func (t *thread) submit(r *request) {
	r.first = &r.script[0]
	if r.forked > 0 {
		r.script[r.forked-1].want = pointer(&r.script[r.forked])
	}
	t.mu.Lock()
	t.unborn[r] = true
	put := t.ring.put.Load()
	for put-t.ring.taken.Load() == ringSize {
		time.Sleep(50 * time.Microsecond) // each takes the thread about as long
	}
	r.slot = put % ringSize
	t.ring.slots[r.slot] = r
	t.ring.put.Store(put + 1)
	t.mu.Unlock()
	const wakePrivate = 129 // FUTEX_WAKE_PRIVATE
	unix.RawSyscall6(unix.SYS_FUTEX, pointer(&t.ring.put), wakePrivate, 1, 0, 0, 0)
}

// forget lets go of r, which is over.
func (t *thread) forget(r *request) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.unborn, r)
	if slot := &t.ring.slots[r.slot]; *slot == r {
		*slot = nil
	}
}

// await waits until r is over, no longer than d, which must be short: meanwhile it
// keeps a P. For ever if d is negative: then it does not. It reports whether r is
// over.
func (r *request) await(d time.Duration) bool {
	if d < 0 {
		for r.unborn.Load() != 0 {
			if futexWaitLong(&r.unborn, lookAgain) {
				r.lookForExit()
			}
		}
		return true
	}
	for deadline := time.Now().Add(d); r.unborn.Load() != 0; {
		left := time.Until(deadline)
		if left <= 0 {
			return false
		}
		futexWait(&r.unborn, left) // a signal may end it sooner
	}
	return true
}

// futexWait waits while word is 1. It is futex(2) without FUTEX_PRIVATE_FLAG, because
// the kernel wakes without it, too (mm_release in its kernel/fork.c). The scheduler is
// not told, which would take longer than most births.
func futexWait(word *atomic.Uint32, most time.Duration) (timedOut bool) {
	timeout := unix.NsecToTimespec(int64(most))
	_, _, errno := unix.RawSyscall6(unix.SYS_FUTEX, pointer(word), 0, 1, pointer(&timeout), 0, 0)
	return errno == unix.ETIMEDOUT
}

// futexWaitLong is futexWait, but the scheduler is told.
func futexWaitLong(word *atomic.Uint32, most time.Duration) (timedOut bool) {
	timeout := unix.NsecToTimespec(int64(most))
	_, _, errno := unix.Syscall6(unix.SYS_FUTEX, pointer(word), 0, 1, pointer(&timeout), 0, 0)
	return errno == unix.ETIMEDOUT
}

// lookAgain is how often it is looked whether a child has come to its end without a
// word: before Linux 5.16 one that a signal ends with a core dump does not clear
// unborn.
const lookAgain = time.Second

// lookForExit notes that r is over if its child is a zombie.
func (r *request) lookForExit() {
	pid := r.child.Load()
	var info [32]int32 // siginfo_t: first the signal, 0 if there is none to tell of
	_, _, errno := unix.RawSyscall6(unix.SYS_WAITID, unix.P_PID, uintptr(pid), pointer(&info), unix.WEXITED|unix.WNOWAIT|unix.WNOHANG, 0, 0)
	if pid != 0 && errno == 0 && info[0] != 0 {
		r.unborn.Store(0)
	}
}

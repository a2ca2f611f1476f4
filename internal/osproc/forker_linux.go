package osproc

import (
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// forker starts leaders from goroutines that are locked to their threads for as
// long as the host lives. The parent-death signal that protects a leader from
// outliving the engine is tied to the *thread* that forked it, not to the
// process (prctl(2), golang/go#27505): forked from an ordinary goroutine, a
// healthy leader would be killed whenever the runtime ends that thread.
//
// Each of the threads has a descriptor table of its own, with next to nothing in
// it. A fork copies the table of the thread that forks, and an exec closes what
// was copied, so that the cost of a start would grow with the number of processes
// alive. Nothing may run on these threads that uses a descriptor of anybody else:
// the number would mean something else there. So they fork, and do nothing more.
type forker struct {
	null    *os.File // what leaders have most often, and the threads therefore keep
	mu      sync.Mutex
	some    *sync.Cond
	waiting []*launch
	closed  bool
	threads sync.WaitGroup
}

// launch is a leader that is to be started.
type launch struct {
	cmd   *exec.Cmd                // what to execute, without its files
	files [3]*os.File              // its standard input, output and error
	done  func(pid int, err error) // called in a goroutine of its own
}

func newForker(null *os.File) *forker {
	f := &forker{null: null}
	f.some = sync.NewCond(&f.mu)
	for range min(runtime.GOMAXPROCS(0), 4) {
		f.threads.Add(1)
		go f.run()
	}
	return f
}

// run forks on one thread, for good: the thread ends with this goroutine.
func (f *forker) run() {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The main thread's table must stay everybody's. Another goroutine gets
		// another thread, as long as this one holds the main thread.
		f.threads.Add(1)
		begun := make(chan struct{})
		go func() {
			close(begun)
			f.run()
		}()
		<-begun
		runtime.UnlockOSThread()
		f.threads.Done()
		return
	}
	defer f.threads.Done()
	table := ownDescriptors(f.null)
	for {
		f.mu.Lock()
		for len(f.waiting) == 0 && !f.closed {
			f.some.Wait()
		}
		if len(f.waiting) == 0 {
			f.mu.Unlock()
			return
		}
		l := f.waiting[0]
		f.waiting = slices.Delete(f.waiting, 0, 1)
		f.mu.Unlock()
		pid, err := table.fork(l)
		go l.done(pid, err)
	}
}

// submit has a leader started by one of the threads, in turn.
func (f *forker) submit(l *launch) {
	l.cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	f.mu.Lock()
	f.waiting = append(f.waiting, l)
	f.mu.Unlock()
	f.some.Signal()
}

// close ends the threads; every leader must have exited.
func (f *forker) close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.some.Broadcast()
	f.threads.Wait()
}

// descriptors is the descriptor table of a thread of its own; nil is the one that
// all threads share.
type descriptors struct {
	process int      // a pidfd of this process, to get descriptors from the shared table
	null    *os.File // of the shared table
	ownNull int      // the same in this one
}

// ownDescriptors gives the calling thread, which must be locked and not the main
// one, a descriptor table of its own (unshare(2), CLONE_FILES). It is nil where
// that cannot be done: pidfd_getfd(2) came with Linux 5.6, and some containers
// forbid it.
func ownDescriptors(null *os.File) *descriptors {
	if !canGetDescriptors() || unix.Unshare(unix.CLONE_FILES) != nil {
		return nil
	}
	closeAll()
	process, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil { // cannot be: the table is empty, and it has worked before
		panic(os.NewSyscallError("pidfd_open", err))
	}
	own, err := unix.PidfdGetfd(process, int(null.Fd()), 0)
	if err != nil { // then it is fetched each time
		null, own = nil, -1
	}
	return &descriptors{process, null, own}
}

// canGetDescriptors reports whether pidfd_getfd(2) works on this process.
var canGetDescriptors = sync.OnceValue(func() bool {
	process, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil {
		return false
	}
	defer unix.Close(process)
	fd, err := unix.PidfdGetfd(process, process, 0)
	if err != nil {
		return false
	}
	unix.Close(fd)
	return true
})

// closeAll empties the calling thread's table, but for standard input, output and
// error. What the runtime's poller has must stay, too: the runtime may use it
// from any thread.
func closeAll() {
	for _, fd := range openDescriptors() {
		var target [32]byte
		n, err := unix.Readlink("/proc/thread-self/fd/"+strconv.Itoa(fd), target[:])
		switch string(target[:max(n, 0)]) {
		case "anon_inode:[eventpoll]", "anon_inode:[eventfd]":
		default:
			if fd > 2 && err == nil {
				unix.Close(fd)
			}
		}
	}
}

// openDescriptors are the numbers in the calling thread's table; if it is full,
// all numbers that there can be.
func openDescriptors() (fds []int) {
	dir, err := unix.Open("/proc/thread-self/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		var limit unix.Rlimit
		unix.Getrlimit(unix.RLIMIT_NOFILE, &limit)
		for fd := range int(limit.Cur) {
			fds = append(fds, fd)
		}
		return fds
	}
	defer unix.Close(dir)
	var names []string
	for buf := make([]byte, 8<<10); ; {
		n, err := unix.ReadDirent(dir, buf)
		if err != nil || n <= 0 {
			break
		}
		_, _, names = unix.ParseDirent(buf[:n], -1, names)
	}
	for _, name := range names {
		if fd, err := strconv.Atoi(name); err == nil && fd != dir {
			fds = append(fds, fd)
		}
	}
	return fds
}

// fork starts a leader, whose files are open in the shared table. It is os/exec
// without what that does besides: it opens files, and under go test it writes to
// a log, by numbers that mean nothing here.
func (d *descriptors) fork(l *launch) (pid int, err error) {
	attr := syscall.ProcAttr{Dir: l.cmd.Dir, Env: l.cmd.Env, Sys: l.cmd.SysProcAttr, Files: make([]uintptr, 0, len(l.files))}
	defer func() { d.close(attr.Files) }()
	for _, f := range l.files {
		fd, err := d.get(f)
		if err != nil {
			return 0, os.NewSyscallError("pidfd_getfd", err)
		}
		attr.Files = append(attr.Files, uintptr(fd))
	}
	pid, _, err = syscall.StartProcess(l.cmd.Path, l.cmd.Args, &attr)
	if err != nil {
		return 0, &fs.PathError{Op: "fork/exec", Path: l.cmd.Path, Err: err}
	}
	return pid, nil
}

// get is the number of f in this table.
func (d *descriptors) get(f *os.File) (fd int, err error) {
	switch {
	case d == nil:
		return int(f.Fd()), nil
	case f == d.null:
		return d.ownNull, nil
	}
	return getPrompt(d.process, int(f.Fd()))
}

// close closes what get has fetched.
func (d *descriptors) close(fds []uintptr) {
	for _, fd := range fds {
		if d != nil && int(fd) != d.ownNull {
			closePrompt(int(fd))
		}
	}
}

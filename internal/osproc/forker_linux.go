package osproc

import (
	"os"
	"os/exec"
	"runtime"
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
// alive.
type forker struct {
	mu      sync.Mutex
	some    *sync.Cond
	waiting []func(*descriptors)
	closed  bool
	threads sync.WaitGroup
}

func newForker() *forker {
	f := &forker{}
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
	table := ownDescriptors()
	for {
		f.mu.Lock()
		for len(f.waiting) == 0 && !f.closed {
			f.some.Wait()
		}
		if len(f.waiting) == 0 {
			f.mu.Unlock()
			return
		}
		start := f.waiting[0]
		f.waiting = f.waiting[1:]
		f.mu.Unlock()
		start(table)
	}
}

// submit has start called on one of the threads, in turn.
func (f *forker) submit(start func(*descriptors)) {
	f.mu.Lock()
	f.waiting = append(f.waiting, start)
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

// prepare sets what every leader gets.
func prepare(cmd *exec.Cmd) { cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL }

// descriptors is the descriptor table of a thread of its own; nil is the one that
// all threads share.
type descriptors struct {
	process int // a pidfd of this process, to get descriptors from the shared table
}

// ownDescriptors gives the calling thread, which must be locked and not the main
// one, a descriptor table of its own (unshare(2), CLONE_FILES). It is nil where
// that cannot be done: pidfd_getfd(2) came with Linux 5.6, and some containers
// forbid it.
func ownDescriptors() *descriptors {
	if !canGetDescriptors() || unix.Unshare(unix.CLONE_FILES) != nil {
		return nil
	}
	closeAll()
	process, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil { // cannot be: the table is empty, and it has worked before
		panic(os.NewSyscallError("pidfd_open", err))
	}
	return &descriptors{process: process}
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

// start starts cmd with files as its standard input, output and error, which are
// open in the shared table.
func (d *descriptors) start(cmd *exec.Cmd, files [3]*os.File) error {
	if d != nil {
		for i, f := range files {
			fd, err := unix.PidfdGetfd(d.process, int(f.Fd()), 0)
			if err != nil {
				return os.NewSyscallError("pidfd_getfd", err)
			}
			files[i] = os.NewFile(uintptr(fd), f.Name())
			defer files[i].Close()
		}
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	return cmd.Start()
}

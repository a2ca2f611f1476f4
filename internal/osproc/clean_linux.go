package osproc

import (
	"math"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Clean children. A program that is started inherits the open descriptors that
// are not marked close-on-exec, the signals that are ignored, and those that are
// blocked (execve(2), signal(7)). It is to inherit none: neither what this
// program has got from its own parent, nor what is ignored later.

// cleanSlate is done once for each host.
func cleanSlate() {
	// Whatever Go opens is close-on-exec; this is for what was inherited.
	unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	for _, sig := range ignoredAtStart() {
		swallow(sig)
	}
}

// stopIgnoring is done before each start.
func stopIgnoring() {
	for sig := syscall.Signal(1); sig < 32; sig++ {
		if signal.Ignored(sig) {
			swallow(sig)
		}
	}
}

// swallow makes this program handle a signal by doing nothing, which is as good
// as ignoring it, but is not inherited.
func swallow(sig syscall.Signal) { signal.Notify(swallowed, sig) }

var swallowed = make(chan os.Signal, 1) // nobody receives: what does not fit is dropped

// ignoredAtStart reads the signals that this program has been started with as
// ignored, and that the runtime leaves alone.
var ignoredAtStart = sync.OnceValue(func() (ignored []syscall.Signal) {
	does := dispositionsOf(os.Getpid())
	for sig := syscall.Signal(1); sig < 32; sig++ {
		if does.ignores(sig) {
			ignored = append(ignored, sig)
		}
	}
	return ignored
})

// unblockSignals executes this program again, without blocked signals, if it was
// started with some. They could not be unblocked otherwise: the runtime gives
// every child the signal mask that the program was started with.
func unblockSignals() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var blocked, none uint64
	if sigprocmask(unix.SIG_SETMASK, &none, &blocked) != nil || blocked == 0 {
		return
	}
	syscall.Exec("/proc/self/exe", os.Args, os.Environ())
	sigprocmask(unix.SIG_SETMASK, &blocked, nil) // it could not: go on as before
}

func sigprocmask(how int, set, old *uint64) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, uintptr(how),
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(*set), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}

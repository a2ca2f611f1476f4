package osproc

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// System calls that answer at once. Made the ordinary way, each would tell the
// scheduler that it may block, and if all else is asleep that wakes the runtime's
// monitor thread, which then looks every 20 µs whether it has (runtime,
// entersyscall and sysmon): with one process at a time that takes more CPU time
// than the calls themselves.

// readPrompt is read(2) of a descriptor that does not block.
func readPrompt(fd int, buf []byte) (int, error) {
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return -1, errno
		}
	}
}

// preadPrompt is pread(2), from the beginning of a file in /proc.
func preadPrompt(fd int, buf []byte) int {
	n, _, errno := unix.RawSyscall6(unix.SYS_PREAD64, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)), 0, 0, 0)
	if errno != 0 {
		return 0
	}
	return int(n)
}

// closePrompt is close(2) of a pipe or a pidfd.
func closePrompt(fd int) { unix.RawSyscall(unix.SYS_CLOSE, uintptr(fd), 0, 0) }

// setNonblock is fcntl(2), F_SETFL, of the end of a pipe that has no other flag.
func setNonblock(fd int) {
	unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_SETFL, unix.O_NONBLOCK)
}

// hotPipe is the size of a pipe that has much to carry, in bytes. A larger one is worse
// when several are: caches hold less of it.
const hotPipe = 128 << 10

// setPipeSize is fcntl(2), F_SETPIPE_SZ. It is refused if the user's pipes have too many
// pages already (pipe(7), pipe-user-pages-soft): then the pipe stays as it is.
func setPipeSize(fd int) { unix.RawSyscall(unix.SYS_FCNTL, uintptr(fd), unix.F_SETPIPE_SZ, hotPipe) }

// epollPrompt is epoll_wait(2) without a timeout.
func epollPrompt(epoll int, events []unix.EpollEvent) (int, error) {
	for {
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(epoll),
			uintptr(unsafe.Pointer(unsafe.SliceData(events))), uintptr(len(events)), 0, 0, 0)
		switch errno {
		case 0:
			return int(n), nil
		case unix.EINTR:
		default:
			return 0, errno
		}
	}
}

// waitPrompt is waitid(2) with WNOHANG.
func waitPrompt(kind, id int, info *siginfoChild, options int, usage *unix.Rusage) error {
	for {
		_, _, errno := unix.RawSyscall6(unix.SYS_WAITID, uintptr(kind), uintptr(id), uintptr(unsafe.Pointer(info)),
			uintptr(options|unix.WNOHANG), uintptr(unsafe.Pointer(usage)), 0)
		switch errno {
		case 0:
			return nil
		case unix.EINTR:
		default:
			return errno
		}
	}
}

// pidfdPrompt is pidfd_open(2).
func pidfdPrompt(pid int) (int, error) {
	return descriptor(unix.RawSyscall(unix.SYS_PIDFD_OPEN, uintptr(pid), 0, 0))
}

func descriptor(fd, _ uintptr, errno syscall.Errno) (int, error) {
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

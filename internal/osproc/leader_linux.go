package osproc

import (
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// leader is the handle of a leader: its pidfd (pidfd_open(2)), on which its exit
// is waited for through the runtime's poller, so that no thread is parked.
type leader struct {
	pid   int
	fd    int      // -1 if the kernel has no pidfd (before Linux 5.4)
	pidfd *os.File // fd, registered with the poller
}

// attach takes over the process that cmd has started, its pidfd in l.fd.
func (l *leader) attach(cmd *exec.Cmd) {
	l.pid = cmd.Process.Pid
	cmd.Process.Release() // this package waits, and holds a pidfd of its own
	if l.fd >= 0 && unix.SetNonblock(l.fd, true) == nil {
		l.pidfd = os.NewFile(uintptr(l.fd), "pidfd")
	}
}

// wait returns when the leader has exited, and leaves it a zombie.
func (l *leader) wait(*exec.Cmd) Status {
	var info siginfoChild
	var usage unix.Rusage
	exited := func(kind, id, options int) bool {
		for {
			err := unix.Waitid(kind, id, (*unix.Siginfo)(unsafe.Pointer(&info)), options|unix.WEXITED|unix.WNOWAIT, &usage)
			if err != unix.EINTR {
				return err != nil || info.Pid != 0
			}
		}
	}
	if l.pidfd == nil {
		exited(unix.P_PID, l.pid, 0)
	} else if raw, err := l.pidfd.SyscallConn(); err == nil {
		raw.Read(func(fd uintptr) bool { return exited(unix.P_PIDFD, int(fd), unix.WNOHANG) })
	}
	return info.status(&usage)
}

// reap frees the leader's process ID.
func (l *leader) reap() {
	for unix.Waitid(unix.P_PID, l.pid, nil, unix.WEXITED|unix.WNOHANG, nil) == unix.EINTR {
	}
	if l.pidfd != nil {
		l.pidfd.Close()
	}
}

// siginfoChild is siginfo_t as waitid(2) fills it in. Signo is followed by errno
// and code, in that order on every architecture Go supports but MIPS, where code
// comes first; the status is read the same way on both, because errno is 0.
type siginfoChild struct {
	Signo      int32
	ErrnoCode  [2]int32
	_          [is64bit]int32
	Pid        int32
	UID        uint32
	StatusCode int32
	_          [128 - (6+is64bit)*4]byte
}

const is64bit = ^uint(0) >> 63

const cldExited = 1 // CLD_EXITED: StatusCode is what it returned; otherwise a signal

func (s *siginfoChild) status(usage *unix.Rusage) Status {
	status := Status{
		Code:       int(s.StatusCode),
		Time:       time.Now(),
		UserTime:   time.Duration(usage.Utime.Nano()),
		SystemTime: time.Duration(usage.Stime.Nano()),
		MaxRSS:     usage.Maxrss * 1024, // Linux counts in KiB, getrusage(2)
	}
	if s.ErrnoCode[0]|s.ErrnoCode[1] != cldExited {
		status.Code, status.Signal = -1, signalName(syscall.Signal(s.StatusCode))
	}
	return status
}

package osproc

import (
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endsWithEngine has a leader killed when the engine dies.
func endsWithEngine(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

// leader is the handle of a leader: its pidfd (pidfd_open(2)), on which the host's
// poller waits for its exit, so that no thread is parked.
type leader struct {
	process *Process
	pidfd   int // -1 if there is none

	mu   sync.Mutex
	told bool // that it has exited
}

// attach begins to wait for the exit. The leader is an unreaped child, so that
// its process ID is its own.
func (l *leader) attach(p *Process) {
	l.process = p
	fd, err := pidfdPrompt(p.PID)
	if err == nil {
		l.pidfd = fd
		if err = p.host.poller.add(fd, l); err == nil {
			return
		}
		unix.Close(fd)
	}
	l.pidfd = -1 // no pidfd before Linux 5.3, or out of descriptors
	go l.wait()
}

// wait waits for the exit where there is no pidfd. It blocks its thread.
func (l *leader) wait() {
	for unix.Waitid(unix.P_PID, l.process.PID, nil, unix.WEXITED|unix.WNOWAIT, nil) == unix.EINTR {
	}
	l.readable()
}

// readable is called by the poller: the leader has exited.
func (l *leader) readable() { l.look() }

// look tells that the leader has exited, if it has and that is not told yet. It reads the
// status of the leader, and leaves it a zombie.
func (l *leader) look() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told { // it may have been reaped, too
		return
	}
	var info siginfoChild
	var usage unix.Rusage
	err := waitPrompt(unix.P_PID, l.process.PID, &info, unix.WEXITED|unix.WNOWAIT, &usage)
	if err != nil || info.Pid != 0 {
		l.told = true
		l.process.host.poller.drop(l.pidfd) // it becomes readable again when it is reaped
		l.process.leaderExited(info.status(&usage))
	}
}

// reap frees the leader's process ID.
func (l *leader) reap() {
	waitPrompt(unix.P_PID, l.process.PID, nil, unix.WEXITED, nil)
	if l.pidfd >= 0 {
		closePrompt(l.pidfd)
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

//go:build unix

package osproc

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	sigCont = syscall.SIGCONT
	sigHup  = syscall.SIGHUP
)

const errNotDir = syscall.ENOTDIR

// leads makes a process the leader of a group, or of a session with a controlling
// terminal, which is its standard input.
func leads(terminal bool) *syscall.SysProcAttr {
	if terminal {
		return &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	return &syscall.SysProcAttr{Setpgid: true}
}

// signalGroup refuses what kill(2) takes for "everything" or init.
func signalGroup(pgid int, sig syscall.Signal) error {
	if pgid <= 1 {
		return syscall.ESRCH
	}
	return syscall.Kill(-pgid, sig)
}

func signalProcess(pid int, sig syscall.Signal) error {
	if pid <= 1 {
		return syscall.ESRCH
	}
	return syscall.Kill(pid, sig)
}

// writeOnce is write(2), on a descriptor that does not block.
func writeOnce(fd uintptr, data []byte) int {
	n, _ := syscall.Write(int(fd), data)
	return n
}

func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return sig.String()
}

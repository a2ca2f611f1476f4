//go:build unix

package osproc

import (
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	sigCont = syscall.SIGCONT
)

const errNotDir = syscall.ENOTDIR

// leads makes a process the leader of a session: so it has no controlling terminal
// but one of its own, which is its standard input, and can never leave its group
// (setpgid(2), EPERM).
func leads(terminal bool) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Setsid: true, Setctty: terminal}
	endsWithEngine(attr)
	return attr
}

// signalGroup refuses what kill(2) takes for "everything" or init.
func signalGroup(pgid int, sig syscall.Signal) error {
	if pgid <= 1 {
		return syscall.ESRCH
	}
	return syscall.Kill(-pgid, sig)
}

// dumpsCore reports whether the default of a signal is a core dump (signal(7)).
func dumpsCore(sig syscall.Signal) bool {
	switch sig {
	case syscall.SIGQUIT, syscall.SIGILL, syscall.SIGTRAP, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGFPE,
		syscall.SIGSEGV, syscall.SIGXCPU, syscall.SIGXFSZ, syscall.SIGSYS:
		return true
	}
	return false
}

// hasLeft reports whether a leader is not in its group.
func hasLeft(pid int) bool {
	pgid, err := syscall.Getpgid(pid)
	return err == nil && pgid != pid
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

//go:build unix

package osproc

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	sigCont = syscall.SIGCONT
	sigHup  = syscall.SIGHUP
)

const errNotDir = syscall.ENOTDIR

// groupAttr makes the process that cmd starts the leader of a new group.
func groupAttr(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

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

func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return sig.String()
}

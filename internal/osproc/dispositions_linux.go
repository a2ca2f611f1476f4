package osproc

import (
	"bytes"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// dispositions is what a process does about signals (signal(7)).
type dispositions struct{ caught, ignored, blocked, pending signals }

// signals is a set of them.
type signals uint64

func (s signals) has(sig syscall.Signal) bool { return s&(1<<(sig-1)) != 0 }

// dispositionsOf reads /proc/PID/status (proc_pid_status(5)). They are the default ones if
// it cannot be read.
func dispositionsOf(pid int) (d dispositions) {
	fd, err := unix.Open("/proc/"+strconv.Itoa(pid)+"/status", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return d
	}
	defer closePrompt(fd)
	var buf [4096]byte
	for line := range bytes.Lines(buf[:preadPrompt(fd, buf[:])]) {
		name, hex, _ := bytes.Cut(bytes.TrimSpace(line), []byte(":\t"))
		set, _ := strconv.ParseUint(string(hex), 16, 64)
		switch string(name) {
		case "SigCgt":
			d.caught = signals(set)
		case "SigIgn":
			d.ignored = signals(set)
		case "SigBlk":
			d.blocked = signals(set)
		case "ShdPnd":
			d.pending = signals(set)
		}
	}
	return d
}

// Ignores reports whether a process ignores a signal; false if that cannot be known.
func Ignores(pid int, sig syscall.Signal) bool { return dispositionsOf(pid).ignores(sig) }

func (d dispositions) ignores(sig syscall.Signal) bool { return d.ignored.has(sig) }

// isYetToHear reports whether the process has been sent a signal that it is about to get.
func (d dispositions) isYetToHear(sig syscall.Signal) bool {
	return d.pending.has(sig) && !d.blocked.has(sig)
}

// diesOf reports whether a signal ends the process at once.
func (d dispositions) diesOf(sig syscall.Signal) bool {
	return !(d.caught | d.ignored | d.blocked).has(sig)
}

// spares reports whether the process handles a signal, and not SIGHUP, so that it dies of
// that.
func (d dispositions) spares(sig syscall.Signal) bool {
	return d.caught.has(sig) && !(d.caught | d.ignored).has(syscall.SIGHUP)
}

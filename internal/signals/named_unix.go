//go:build unix

package signals

import (
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// Name is "SIGTERM", or a number if the signal has no name.
func Name(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	return strconv.Itoa(int(sig))
}

// named is 0 if there is no signal of that name.
func named(name string) syscall.Signal { return unix.SignalNum(name) }

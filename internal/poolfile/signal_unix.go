//go:build unix

package poolfile

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// signalNamed is 0 if there is no signal of that name.
func signalNamed(name string) syscall.Signal { return unix.SignalNum(name) }

//go:build !linux

package testkit

import (
	"os"
	"syscall"
)

// Alive reports whether a process is there.
func Alive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}

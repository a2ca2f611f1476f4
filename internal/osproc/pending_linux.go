package osproc

import (
	"os"

	"golang.org/x/sys/unix"
)

// pending is how many bytes wait to be read.
func pending(f *os.File) (n int) {
	if raw, err := f.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { n, _ = unix.IoctlGetInt(int(fd), unix.TIOCINQ) })
	}
	return n
}

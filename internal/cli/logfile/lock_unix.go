//go:build unix

package logfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockDir waits until nobody else has locked a directory, and locks it until unlock. Where
// that cannot be done, it is not.
func lockDir(path string) (unlock func()) {
	dir, err := os.Open(path)
	if err != nil {
		return func() {}
	}
	for unix.Flock(int(dir.Fd()), unix.LOCK_EX) == unix.EINTR {
	}
	return func() { dir.Close() }
}

package osproc

import (
	"os"

	"golang.org/x/sys/unix"
)

// end is a leader's end of a pipe or a terminal, or the null device. Few live longer
// than a start; an os.File would be dearer to make and to close.
type end struct{ number int } // the descriptor, plus 1: 0 is none

func (e end) fd() int { return e.number - 1 }

func (e end) close() { closePrompt(e.fd()) }

// endOf takes f over.
func endOf(f *os.File) (end, error) {
	defer f.Close()
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return end{}, os.NewSyscallError("fcntl", err)
	}
	return end{fd + 1}, nil
}

// openNull opens the null device.
func openNull() (end, error) {
	fd, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return end{}, &os.PathError{Op: "open", Path: os.DevNull, Err: err}
	}
	return end{fd + 1}, nil
}

// pipe makes a pipe, of which neither end is inherited.
func pipe() (r, w int, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, os.NewSyscallError("pipe2", err)
	}
	return fds[0], fds[1], nil
}

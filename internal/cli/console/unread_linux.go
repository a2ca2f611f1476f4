package console

import (
	"os"

	"golang.org/x/sys/unix"
)

// unread is how many bytes are in a pipe, or on their way through a socket or a line
// (ioctl_pipe(2), tcp(7), unix(7), ioctl_tty(2)).
func unread(file *os.File) int64 {
	info, err := file.Stat()
	if err != nil {
		return 0
	}
	question := uint(unix.TIOCOUTQ)
	if info.Mode()&os.ModeNamedPipe != 0 {
		question = unix.TIOCINQ
	}
	n, err := unix.IoctlGetInt(int(file.Fd()), question)
	if err != nil {
		return 0
	}
	return int64(n)
}

// writeNow writes what a file takes without waiting, and answers how many bytes that
// is: none if it takes none, is wrong, or does not know the question.
func writeNow(file *os.File, data []byte) int {
	n, err := unix.Pwritev2(int(file.Fd()), [][]byte{data}, -1, unix.RWF_NOWAIT)
	if err != nil {
		return 0
	}
	return n
}

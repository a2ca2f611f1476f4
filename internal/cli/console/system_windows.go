package console

import (
	"errors"
	"syscall"
)

// SwallowBrokenPipes does nothing: writing to a pipe that nobody reads any more is an
// error on this system anyway.
func SwallowBrokenPipes() {}

// signalNumber is that of a kill, which is all that there is on this system.
func signalNumber(string) int { return int(syscall.SIGKILL) }

// IsBrokenPipe reports whether nobody reads what is written any more.
func IsBrokenPipe(err error) bool {
	const errorBrokenPipe, errorNoData = syscall.Errno(109), syscall.Errno(232)
	return errors.Is(err, errorBrokenPipe) || errors.Is(err, errorNoData)
}

//go:build unix

package console

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// SwallowBrokenPipes makes writing to a pipe that nobody reads any more an error
// (EPIPE) on stdout and stderr too, where it would end a Go program.
func SwallowBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

// signalNumber is the number of a signal by the name that Exit.Signal has.
func signalNumber(name string) int {
	if n := unix.SignalNum(name); n != 0 {
		return int(n)
	}
	var n int
	fmt.Sscanf(name, "signal %d", &n) // one without a name
	return n
}

// IsBrokenPipe reports whether nobody reads what is written any more.
func IsBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

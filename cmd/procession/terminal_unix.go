//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
)

// onResize calls do whenever the size of the caller's terminal changes.
func onResize(do func()) (stop func()) {
	return onSignals(1, func(os.Signal) { do() }, syscall.SIGWINCH)
}

// whenStopped gives the terminal back while this program is stopped from outside,
// and takes it again when it goes on.
func (t *terminal) whenStopped() (undo func()) {
	return onSignals(1, func(sig os.Signal) {
		if sig == syscall.SIGCONT {
			t.regain()
			return
		}
		t.release()
		syscall.Kill(os.Getpid(), syscall.SIGSTOP) // which may stop other threads before this one
	}, syscall.SIGTSTP, syscall.SIGCONT)
}

// isBrokenPipe reports whether nobody reads what is written any more.
func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

//go:build unix

package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
)

// onResize calls do whenever the size of the caller's terminal changes.
func onResize(do func()) (stop func()) { return onSignal(func(os.Signal) { do() }, syscall.SIGWINCH) }

// whenStopped gives the terminal back while this program is stopped from outside,
// and takes it again when it goes on.
func (t *terminal) whenStopped() (undo func()) {
	return onSignal(func(sig os.Signal) {
		if sig == syscall.SIGCONT {
			t.regain()
			return
		}
		t.release()
		syscall.Kill(os.Getpid(), syscall.SIGSTOP) // which may stop other threads before this one
	}, syscall.SIGTSTP, syscall.SIGCONT)
}

// onSignal calls do for each of the signals that comes, one at a time.
func onSignal(do func(os.Signal), signals ...os.Signal) (stop func()) {
	came := make(chan os.Signal, 1)
	signal.Notify(came, signals...)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case sig := <-came:
				do(sig)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(came)
		close(done)
	}
}

// isBrokenPipe reports whether nobody reads what is written any more.
func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

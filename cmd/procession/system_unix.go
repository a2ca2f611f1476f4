//go:build unix

package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// What depends on the operating system, where there are signals.

// endSignals ask this program to end.
var endSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

// passedOn are signals that are for what it runs. So is windowChange, without a terminal.
var passedOn = []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2}

const (
	hangUp       = syscall.SIGHUP
	quit         = syscall.SIGQUIT
	windowChange = syscall.SIGWINCH
)

// swallowBrokenPipes makes writing to a pipe that nobody reads any more an error
// (EPIPE) on stdout and stderr too, where it would end a Go program.
func swallowBrokenPipes() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

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

// signalNumber is the number of a signal by the name that Exit.Signal has.
func signalNumber(name string) int {
	if n := unix.SignalNum(name); n != 0 {
		return int(n)
	}
	var n int
	fmt.Sscanf(name, "signal %d", &n) // one without a name
	return n
}

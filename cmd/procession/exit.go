package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"

	"github.com/procession-go/procession"
)

// The exit codes that are not a program's own, as env(1), nohup(1), timeout(1)
// and the shells have them.
const (
	codeUsage         = 2
	codeTimeout       = 124
	codeEngine        = 125
	codeNotExecutable = 126
	codeNotFound      = 127
	codeSignal        = 128 // and the number of the signal
)

// exitStatus ends the command line with a program's own exit code: there is
// nothing to say about it.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// statusOf is how the command line ends when a process has ended so.
func statusOf(exit procession.Exit) error {
	if code := codeOf(exit); code != 0 {
		return exitStatus(code)
	}
	return nil
}

// codeOf is the exit code that a shell would give. What its timeout has ended has
// failed, also if it took that well and returned 0.
func codeOf(exit procession.Exit) int {
	switch {
	case exit.Signal != "":
		return codeSignal + signalNumber(exit.Signal)
	case exit.StartError != nil: // it could not be started again
		return startCode(exit.StartError)
	case exit.Code < 0:
		return codeEngine
	case exit.Code == 0 && exit.Cause == procession.CauseTimeout:
		return codeTimeout
	}
	return exit.Code
}

// usageError is a mistake in the command line itself.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// report says what went wrong, in one line, and answers the exit code.
func (c *console) report(err error) int {
	var status exitStatus
	var usage *usageError
	code := codeEngine
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &usage), errors.Is(err, procession.ErrInvalidSpec):
		code = codeUsage
	case errors.Is(err, procession.ErrStart):
		code = startCode(err)
	}
	c.say("%v", err)
	return code
}

// startCode is the exit code for a program that could not be started: there is none, or
// it cannot be executed, whatever the system has against it.
func startCode(err error) int {
	var errno syscall.Errno
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return codeNotFound
	case errors.Is(err, exec.ErrDot), errors.As(err, &errno) && !isShortage(errno):
		return codeNotExecutable
	}
	return codeEngine
}

// isShortage reports whether a start has failed for want of something, which says nothing
// about the program.
func isShortage(errno syscall.Errno) bool {
	switch errno {
	case syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ENOSPC:
		return true
	}
	return false
}

// say writes one line to stderr.
func (c *console) say(format string, args ...any) {
	line, _, _ := strings.Cut(strings.TrimSpace(fmt.Sprintf(format, args...)), "\n")
	fmt.Fprintln(c, "procession: "+strings.TrimPrefix(line, "procession: "))
}

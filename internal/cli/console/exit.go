package console

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
	"syscall"

	"github.com/procession-go/procession"
)

// The exit codes that are not a program's own. They are those of env(1), nohup(1),
// timeout(1) and the shells.
const (
	CodeUsage         = 2   // the command line is wrong
	CodeTimeout       = 124 // a process was ended by its timeout, and returned 0
	CodeEngine        = 125 // procession itself has failed
	CodeNotExecutable = 126 // the program is there, but cannot be executed
	CodeNotFound      = 127 // there is no such program
	CodeSignal        = 128 // and the number of the signal
)

// ExitStatus is an error that ends the command line with this exit code, without a message.
type ExitStatus int

func (s ExitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

// StatusOf is the error with which the command line ends after a process that has ended so.
// It is nil if the process has succeeded.
func StatusOf(exit procession.Exit) error {
	if code := CodeOf(exit); code != 0 {
		return ExitStatus(code)
	}
	return nil
}

// CodeOf is the exit code for the end of a process, as a shell gives it. A process that was
// ended by its timeout has failed, even if it has returned 0.
func CodeOf(exit procession.Exit) int {
	switch {
	case exit.Signal != "":
		return CodeSignal + signalNumber(exit.Signal)
	case exit.StartError != nil: // it could not be started again
		return StartCode(exit.StartError)
	case exit.Code < 0:
		return CodeEngine
	case exit.Code == 0 && exit.Cause == procession.CauseTimeout:
		return CodeTimeout
	}
	return exit.Code
}

// usageError is a mistake in the command line itself.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// Usage makes err a mistake in the command line itself: the exit code is CodeUsage.
func Usage(err error) error { return &usageError{err} }

// Usagef is Usage of an error that is made by fmt.Errorf.
func Usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// Report writes in one line what went wrong, if there is something to say, and returns the
// exit code.
func (c *Console) Report(err error) int {
	var status ExitStatus
	var Usage *usageError
	code := CodeEngine
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	case errors.As(err, &Usage), errors.Is(err, procession.ErrInvalidSpec):
		code = CodeUsage
	case errors.Is(err, procession.ErrStart):
		code = StartCode(err)
	}
	c.Say("%v", err)
	return code
}

// StartCode is the exit code for a process that could not be started: CodeNotFound if there
// is no such program, CodeNotExecutable if it cannot be executed, otherwise CodeEngine.
func StartCode(err error) int {
	var errno syscall.Errno
	switch {
	case errors.Is(err, exec.ErrNotFound), errors.Is(err, fs.ErrNotExist):
		return CodeNotFound
	case errors.Is(err, exec.ErrDot), errors.As(err, &errno) && !isShortage(errno):
		return CodeNotExecutable
	}
	return CodeEngine
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

// Say writes one line to stderr, after "procession: ".
func (c *Console) Say(format string, args ...any) {
	line, _, _ := strings.Cut(strings.TrimSpace(fmt.Sprintf(format, args...)), "\n")
	fmt.Fprintln(c, "procession: "+strings.TrimPrefix(line, "procession: "))
}

// UnlessUnread is err, or nil if err says that nobody reads what was written any more.
func UnlessUnread(err error) error {
	if IsBrokenPipe(err) {
		return nil
	}
	return err
}

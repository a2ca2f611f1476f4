package messages

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// The sentinel errors, for errors.Is. Every error that the engine answers with
// matches one of these, or fs.ErrPermission.
var (
	// ErrNotFound: no process has that ID, or it was released.
	ErrNotFound = errors.New("no such process")
	// ErrClosed: the engine was shut down, or its pool has failed or was stopped.
	ErrClosed = errors.New("engine is closed")
	// ErrLimit: as many processes run as WithMaxProcesses allows.
	ErrLimit = errors.New("too many processes")
	// ErrInvalidSpec: a field of the Spec has a value that makes no sense; the
	// message names the field.
	ErrInvalidSpec = errors.New("invalid spec")
	// ErrInvalidRequest: an argument other than the Spec makes no sense; the
	// message names it.
	ErrInvalidRequest = errors.New("invalid request")
	// ErrStdinClosed: the process has no standard input, or no longer has one.
	ErrStdinClosed = errors.New("standard input is closed")
	// ErrNoTerminal: the process does not run on a terminal.
	ErrNoTerminal = errors.New("process has no terminal")
	// ErrStart: the program could not be started. It then also matches what
	// os/exec's error would: exec.ErrNotFound, exec.ErrDot, or the syscall.Errno
	// that the system gave, and by that fs.ErrNotExist or fs.ErrPermission.
	ErrStart = errors.New("cannot start")
	// ErrExited: the process has ended. It also matches os.ErrProcessDone.
	ErrExited = errors.New("process has ended")
	// ErrUnsupported: this operating system cannot do that.
	ErrUnsupported = errors.ErrUnsupported
)

// Code says what an Error is about, for programs.
type Code string

// The codes. The comment of each names the sentinel errors that an Error with that
// code matches.
const (
	CodeNotFound       Code = "not-found"         // ErrNotFound
	CodeClosed         Code = "closed"            // ErrClosed
	CodeLimit          Code = "limit"             // ErrLimit
	CodeInvalidSpec    Code = "invalid-spec"      // ErrInvalidSpec
	CodeInvalidRequest Code = "invalid-request"   // ErrInvalidRequest
	CodeStdinClosed    Code = "stdin-closed"      // ErrStdinClosed
	CodeNoTerminal     Code = "no-terminal"       // ErrNoTerminal
	CodeStart          Code = "start"             // ErrStart, and Errno
	CodeNoCommand      Code = "command-not-found" // ErrStart, exec.ErrNotFound
	CodeDot            Code = "command-in-dot"    // ErrStart, exec.ErrDot: PATH finds it in the working directory
	CodeExited         Code = "exited"            // ErrExited, os.ErrProcessDone
	CodeNotReady       Code = "not-ready"         // ErrExited, os.ErrProcessDone: it ended before it was ready
	CodeUnsupported    Code = "unsupported"       // ErrUnsupported
	CodeDenied         Code = "denied"            // fs.ErrPermission: it belongs to another user
	CodeFailed         Code = "failed"            // ErrClosed: an actor failed while it handled the request
)

var sentinels = map[Code][]error{
	CodeNotFound:       {ErrNotFound},
	CodeClosed:         {ErrClosed},
	CodeLimit:          {ErrLimit},
	CodeInvalidSpec:    {ErrInvalidSpec},
	CodeInvalidRequest: {ErrInvalidRequest},
	CodeStdinClosed:    {ErrStdinClosed},
	CodeNoTerminal:     {ErrNoTerminal},
	CodeStart:          {ErrStart},
	CodeNoCommand:      {ErrStart, exec.ErrNotFound},
	CodeDot:            {ErrStart, exec.ErrDot},
	CodeExited:         {ErrExited, os.ErrProcessDone},
	CodeNotReady:       {ErrExited, os.ErrProcessDone},
	CodeUnsupported:    {ErrUnsupported},
	CodeDenied:         {fs.ErrPermission},
	CodeFailed:         {ErrClosed},
}

// Error is the answer to a request that is refused. It implements error, and
// unwraps to the sentinel errors above.
type Error struct {
	// Code says what is wrong, for programs.
	Code Code
	// ID is the ID of the process that the error is about, "" if there is none.
	ID string
	// Message says what is wrong, for people. The method Error returns it.
	Message string
	// Errno is the error number of the operating system, 0 if there is none.
	Errno syscall.Errno
	// Written is how many bytes a WriteStdin had written before it was refused.
	Written int
}

// Error returns Message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the sentinel errors of Code, and Errno if it is not 0.
func (e *Error) Unwrap() []error {
	errs := sentinels[e.Code]
	if e.Errno == 0 {
		return errs
	}
	return append(errs[:len(errs):len(errs)], e.Errno)
}

package messages

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"syscall"
)

// What can go wrong, for errors.Is. Every error that the engine answers with
// matches one of these.
var (
	// ErrNotFound: no process has that ID, or it was released.
	ErrNotFound = errors.New("no such process")
	// ErrClosed: the engine was shut down, or its pool has failed.
	ErrClosed = errors.New("engine is closed")
	// ErrLimit: as many processes run as WithMaxProcesses allows.
	ErrLimit = errors.New("too many processes")
	// ErrInvalidSpec: a field of the Spec has a value that makes no sense; the
	// message names the field.
	ErrInvalidSpec = errors.New("invalid spec")
	// ErrInvalidRequest: an argument other than the Spec makes no sense; the
	// message names it.
	ErrInvalidRequest = errors.New("invalid request")
	// ErrStdinClosed: the process has no standard input (any more).
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

// Code tells a program what an Error is about.
type Code string

// The codes, each with the sentinel errors that an Error of that code matches.
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

// Error is a refusal: the answer to any request that could not be done. It is
// an error, and unwraps to the sentinel errors above.
type Error struct {
	// Code tells a program what is wrong.
	Code Code
	// ID is the process that it is about, "" if none.
	ID string
	// Message tells a person what is wrong, and is what Error returns.
	Message string
	// Errno is what the operating system said, 0 if it was not asked.
	Errno syscall.Errno
	// Written is how many bytes a WriteStdin had written before it was refused.
	Written int
}

// Error is Message.
func (e *Error) Error() string { return e.Message }

// Unwrap is the sentinel errors of Code, and Errno if there is one.
func (e *Error) Unwrap() []error {
	errs := sentinels[e.Code]
	if e.Errno == 0 {
		return errs
	}
	return append(errs[:len(errs):len(errs)], e.Errno)
}

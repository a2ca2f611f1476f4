package procession

import "github.com/procession-go/procession/messages"

// The errors that methods of Engine return, for errors.Is; package messages
// documents each of them. A method whose context ends returns the context's error
// instead, at once. The process is not affected by that.
var (
	ErrNotFound       = messages.ErrNotFound
	ErrClosed         = messages.ErrClosed
	ErrLimit          = messages.ErrLimit
	ErrInvalidSpec    = messages.ErrInvalidSpec
	ErrInvalidRequest = messages.ErrInvalidRequest
	ErrStdinClosed    = messages.ErrStdinClosed
	ErrNoTerminal     = messages.ErrNoTerminal
	ErrStart          = messages.ErrStart
	ErrExited         = messages.ErrExited
	ErrUnsupported    = messages.ErrUnsupported
)

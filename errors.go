package procession

import "github.com/procession-go/procession/messages"

// What can go wrong, for errors.Is; see package messages for each. A method
// whose context ends returns the context's error instead, at once: that ends the
// waiting, never the process.
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

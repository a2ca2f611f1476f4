// Package messages is Procession's protocol: the plain data that callers and
// actors exchange.
//
// A request is sent as a pointer to an engine's pool (Engine.Pool) and is
// answered, also as a pointer, to the sender: with the answer that its comment
// names, or with an *[Error]. The same values are what the methods of Engine
// take and return.
//
// Nothing here does anything. The methods that exist present the data (as
// text, as a Go error); no value holds a channel, a function, a writer or an
// operating system handle, so that messages can cross a network.
package messages

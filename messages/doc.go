// Package messages is Procession's protocol: the plain data that callers and
// actors exchange.
//
// A request is sent as a pointer to an engine's pool (Engine.Pool) and is
// answered, also as a pointer, to the sender: with the answer that its comment
// names, or with an *[Error]. The same values are what the methods of Engine
// take and return.
//
// The package has data and no behaviour. Its methods only present the data: as
// text, or as a Go error. No value holds a channel, a function, a writer or a
// handle of the operating system, so messages can cross a network.
package messages

// Package tsclient is a test of adapters/mcpserver by somebody else's client: the
// official SDK for TypeScript drives the program procession, over standard input and
// output and over HTTP. It needs node, and its modules:
//
//	cd adapters/mcpserver/tsclient && npm ci
//	go test ./adapters/mcpserver/tsclient -v
//
// They may be in another folder, which PROCESSION_TSCLIENT names. A test that finds
// none is skipped.
package tsclient

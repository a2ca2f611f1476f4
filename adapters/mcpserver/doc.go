// Package mcpserver gives agents that speak the Model Context Protocol a
// process engine: tools to start processes, read and wait for their output, talk
// to them and end them.
//
// It is a thin layer: every tool is one or two calls of a
// [github.com/procession-go/procession.Engine], and what it adds is what a
// language model needs: text without control sequences and of bounded length,
// errors that say what to do instead, and sessions that leave nothing behind.
//
//	eng, err := procession.New(procession.WithRetention(-1, 0))
//	server, err := mcpserver.New(eng, mcpserver.Options{Root: "/work"})
//	err = server.ServeStdio(ctx, os.Stdin, os.Stdout)
//
// # Sessions
//
// A client sees the processes of its own session only. The server marks what a
// session starts with a label ([SessionLabel]), selects by it, and releases all
// that carry it when the session ends: with its connection, by an HTTP DELETE,
// or after [Options.Idle] without a request. It keeps the newest processes that
// have ended ([Options.Retention]); the engine's own retention does not tell
// sessions apart.
//
// # The program as a whole
//
// The command "procession mcp" is this package with flags; docs/agents.md says
// how to configure clients for it, and describes each tool.
package mcpserver

// Package soak has tests that ill-treat an engine, and the MCP server, for as long as
// one likes, and then look for what is left:
//
//	go test ./bench/soak                          # three seconds of each
//	go test ./bench/soak -v -soak                 # two minutes
//	go test -race -timeout 0 ./bench/soak -v -soak=10m
//	go test -timeout 0 ./bench/soak -v -soak=1h -run Clients
//
// TestSoak is callers of one engine. TestClients is clients that come, stall, die and
// come back, half of them over HTTP to one server, whose figures it prints, and half on
// stdio to servers of their own.
package soak

// Package acpterm gives agents that speak the Agent Client Protocol (ACP) the
// terminals of a Procession engine: [Terminals] is the part of an ACP client
// that answers the five terminal/* methods. A program that is such a client
// embeds it and adds the methods that are about its user:
//
//	type client struct {
//		*acpterm.Terminals
//		…
//	}
//
//	conn := acp.NewClientSideConnection(client{Terminals: acpterm.New(eng)}, toAgent, fromAgent)
//
// What it does is what the protocol's chapter on terminals says
// (https://agentclientprotocol.com/protocol/v1/terminals). Where that leaves
// something open, the comment on the method says how it is here.
package acpterm

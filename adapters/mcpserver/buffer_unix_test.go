//go:build unix

package mcpserver

import "syscall"

// smallBuffer makes a client's receive buffer as small as can be, so that what it does not
// read is soon waited for.
func smallBuffer(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
}

func init() { dialer.Control = smallBuffer }

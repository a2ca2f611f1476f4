//go:build unix

package interrupt

import (
	"os"
	"syscall"
)

// endSignals ask this program to end.
var endSignals = []os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}

const (
	hangUp = syscall.SIGHUP
	quit   = syscall.SIGQUIT
)

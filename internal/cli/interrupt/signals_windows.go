package interrupt

import (
	"os"
	"syscall"
)

// endSignals ask this program to end.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

const (
	hangUp = syscall.SIGHUP
	quit   = syscall.SIGQUIT
)

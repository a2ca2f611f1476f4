//go:build unix

package local

import (
	"os"
	"syscall"
)

// passedOn are signals that are for what runs. So is windowChange, without a terminal.
var passedOn = []os.Signal{syscall.SIGUSR1, syscall.SIGUSR2}

const windowChange = syscall.SIGWINCH

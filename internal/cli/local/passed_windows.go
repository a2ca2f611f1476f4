package local

import (
	"os"
	"syscall"
)

// passedOn are signals that are for what runs: there are none on this system.
var passedOn []os.Signal

const windowChange = syscall.Signal(-1)

package signals

import (
	"strconv"
	"syscall"
)

// Name returns the number of the signal.
func Name(sig syscall.Signal) string { return strconv.Itoa(int(sig)) }

// named is 0 if there is no signal of that name. Windows has none, but a
// file that names one is to be readable there too.
func named(name string) syscall.Signal {
	return map[string]syscall.Signal{
		"SIGHUP": syscall.SIGHUP, "SIGINT": syscall.SIGINT, "SIGQUIT": syscall.SIGQUIT,
		"SIGKILL": syscall.SIGKILL, "SIGTERM": syscall.SIGTERM,
		"SIGUSR1": 10, "SIGUSR2": 12,
	}[name]
}

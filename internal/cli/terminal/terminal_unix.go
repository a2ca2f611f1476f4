//go:build unix

package terminal

import (
	"os"
	"syscall"

	"github.com/procession-go/procession/internal/cli/interrupt"
)

// OnResize calls do whenever the size of the caller's terminal changes.
func OnResize(do func()) (stop func()) {
	return interrupt.Each(1, func(os.Signal) { do() }, syscall.SIGWINCH)
}

// whenStopped gives the terminal back while this program is stopped from outside,
// and takes it again when it goes on.
func (t *Terminal) whenStopped() (undo func()) {
	return interrupt.Each(1, func(sig os.Signal) {
		if sig == syscall.SIGCONT {
			t.regain()
			return
		}
		t.release()
		syscall.Kill(os.Getpid(), syscall.SIGSTOP) // which may stop other threads before this one
	}, syscall.SIGTSTP, syscall.SIGCONT)
}

//go:build unix && !linux

package osproc

import (
	"os"
	"syscall"
	"time"
)

// sweeper ends the group of a leader; descendants that left it are not found.
type sweeper struct{}

func newSweeper(*Host) *sweeper { return &sweeper{} }

func (*sweeper) birth() birth { return birth{} }

func (*sweeper) stop(*Process, syscall.Signal) {}

// end signals the group and waits until it is empty. Its number stays taken as
// long as it has a member (POSIX, setpgid(2)).
func (*sweeper) end(p *Process, sig syscall.Signal, done func()) {
	p.StopGroup(sig)
	go func() {
		defer done()
		for signalGroup(p.PID, 0) == nil {
			time.Sleep(5 * time.Millisecond)
		}
	}()
}

func (*sweeper) close(time.Time) {}

// pending is not known; the idle time alone decides.
func pending(*os.File) int { return 0 }

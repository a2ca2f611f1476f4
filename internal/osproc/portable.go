//go:build !linux

package osproc

import (
	"errors"
	"os"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/spawn"
)

// What Linux does better, done in the portable way.

// poller is not needed where streams and leaders have goroutines of their own.
type poller struct{}

func newPoller() (*poller, error) { return &poller{}, nil }

func (*poller) close() {}

func openStdin() (theirs end, ours *os.File, err error) {
	r, w, err := os.Pipe()
	return end{r}, w, err
}

// leader is reaped as soon as it exits: there is no portable way to wait without
// reaping. The wait blocks a thread.
type leader struct{}

func (l *leader) attach(p *Process) {
	go func() {
		process, err := os.FindProcess(p.PID)
		if err != nil {
			p.leaderExited(statusOf(nil))
			return
		}
		state, _ := process.Wait()
		p.leaderExited(statusOf(state))
	}()
}

func (*leader) reap() {}

// look gives the goroutine that waits for the exit a moment.
func (*leader) look() { time.Sleep(starved) }

func statusOf(state *os.ProcessState) Status {
	status := Status{Time: time.Now(), Code: -1}
	if state != nil {
		status.Code = state.ExitCode()
		status.UserTime, status.SystemTime = state.UserTime(), state.SystemTime()
		if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			status.Signal = signalName(ws.Signal())
		}
	}
	return status
}

// newest are known to the kernel alone.
type newest struct{}

const storm = 1

func (*tree) noteNewest([]newest) {}

// members are known to the kernel alone.
type members struct{}

func (members) count() int { return 0 }

// live is whatever the group has.
func (members) live() bool { return true }

// dispositions are not known: who does not listen is hung up at once.
type dispositions struct{}

func dispositionsOf(int) dispositions { return dispositions{} }

// Ignores reports false: it cannot be known.
func Ignores(int, syscall.Signal) bool { return false }

func (dispositions) ignores(syscall.Signal) bool { return true }

func (dispositions) spares(syscall.Signal) bool { return false }

func (dispositions) isYetToHear(syscall.Signal) bool { return false }

// birth bounds the search for descendants only on Linux.
type birth struct{}

// Only on Linux descendants are found by marks.

type origin uint64

func hashOf(string) uint64 { return 0 }

func canMark() bool { return false }

func (*Host) finds() (bool, error) {
	return false, errors.New("descendants that leave their group are not found on this system")
}

func (*Host) origin(string) origin { return 0 }

func (*Host) limits(*Process) []spawn.Limit { return nil }

func (*Process) markLate() {}

// Only on Linux a program can adopt orphans.

// Adopt does nothing.
func Adopt() error { return nil }

// Spare does nothing.
func Spare(int) {}

type reaper struct{}

func (*Host) reapOrphans() {}

func (*reaper) close() {}

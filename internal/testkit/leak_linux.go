package testkit

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Adopt makes the test binary a subreaper (prctl(2)): whatever is orphaned below it
// becomes its child, so that Left finds it, whatever it has done to its environment, its
// limits, its group and its session.
func Adopt() {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
}

// Left is what is left of all that this process has started, after a while in which it
// may have come to its end by itself. It is killed then. Zombies are reaped.
func Left() (left []string) {
	for begun := time.Now(); time.Since(begun) < 10*time.Second; time.Sleep(2 * time.Millisecond) {
		for {
			if pid, err := unix.Wait4(-1, nil, unix.WNOHANG|unix.WALL, nil); pid <= 0 && err != unix.EINTR {
				break
			}
		}
		left = nil
		for _, p := range Descendants(os.Getpid()) {
			left = append(left, p.String())
		}
		if len(left) == 0 {
			return nil
		}
	}
	for _, p := range Descendants(os.Getpid()) {
		unix.Kill(p.PID, unix.SIGKILL)
	}
	return left
}

package testkit

import (
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

var (
	reaping sync.Mutex
	zombies = map[int]bool{} // orphans that had ended at the last call of Reap
)

// Reap reaps the orphans that had ended when it was called last and are zombies still.
// Tests that leave thousands need it: Left reaps at the very end only. Orphans are children
// of the first thread, and what os/exec waits for is no zombie for long.
func Reap() {
	reaping.Lock()
	defer reaping.Unlock()
	self := strconv.Itoa(os.Getpid())
	children, _ := os.ReadFile("/proc/" + self + "/task/" + self + "/children")
	ended := map[int]bool{}
	for _, child := range strings.Fields(string(children)) {
		pid, _ := strconv.Atoi(child)
		switch p, there := Look(pid); {
		case !there || p.State != 'Z':
		case zombies[pid]:
			unix.Wait4(pid, nil, unix.WNOHANG|unix.WALL, nil)
		default:
			ended[pid] = true
		}
	}
	zombies = ended
}

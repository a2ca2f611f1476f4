package osproc

import (
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// A subreaper is a process whose orphaned descendants become its children (prctl(2),
// PR_SET_CHILD_SUBREAPER). So a subreaper can end descendants that have lost both
// the mark and the variables, and must reap them.

var adopts bool // this program is a subreaper

// Adopt makes this program a subreaper. It must be called before the first engine.
// Orphans below the program become its children, are reaped when they end, and are
// ended with the last engine at the latest. It is for programs that only run engines,
// because every child that no engine has started counts as an orphan, unless it is
// spared.
func Adopt() error {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	adopts = true
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGCHLD)
	go func() {
		for range ended {
			for !reapOrphans() {
				time.Sleep(patience)
			}
		}
	}()
	return nil
}

// spared are the children that are no orphans, although no engine has started them.
var spared sync.Map

// Spare says that this program itself has started a child, so that it is not an
// orphan.
func Spare(pid int) { spared.Store(pid, true) }

// isOrphan reports whether a child of this program is none that it has started itself.
func isOrphan(pid int) bool {
	_, spare := spared.Load(pid)
	return !spare && !hosts.own(pid)
}

// reapOrphans reaps the orphans that have ended. They are children of the first thread,
// because no other thread of this program is sure to stay. It cannot be done while a
// leader is forked whose number is not known yet.
func reapOrphans() (done bool) {
	if hosts.bearing() {
		return false
	}
	self := strconv.Itoa(os.Getpid())
	children, err := os.ReadFile("/proc/" + self + "/task/" + self + "/children")
	if err != nil {
		return true
	}
	for _, child := range strings.Fields(string(children)) {
		if pid, _ := strconv.Atoi(child); isOrphan(pid) {
			waitPrompt(unix.P_PID, pid, nil, unix.WEXITED|unix.WALL, nil)
		}
	}
	return true
}

// bury reaps what has exited if it is a child of this program: an orphan, or one that
// a leader has forked with CLONE_PARENT (clone(2)).
func bury(pidfd int) {
	waitPrompt(unix.P_PIDFD, pidfd, nil, unix.WEXITED|unix.WALL, nil)
}

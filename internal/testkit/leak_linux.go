package testkit

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
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

// Process is what /proc tells of one (proc_pid_stat(5)).
type Process struct {
	PID, Parent, Group, Session int
	State                       byte
}

func (p Process) String() string {
	command, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
	return fmt.Sprintf("%d %c %q", p.PID, p.State, bytes.ReplaceAll(command, []byte{0}, []byte(" ")))
}

// Descendants are the children of a process, their children, and so on, that are there
// at present, zombies included.
func Descendants(of int) (all []Process) {
	children := map[int][]Process{}
	for _, p := range Processes() {
		children[p.Parent] = append(children[p.Parent], p)
	}
	for next := []int{of}; len(next) > 0; next = next[1:] {
		for _, p := range children[next[0]] {
			all = append(all, p)
			next = append(next, p.PID)
		}
	}
	return all
}

// Running are the descendants of this process that are no zombies.
func Running() (all []Process) {
	for _, p := range Descendants(os.Getpid()) {
		if p.State != 'Z' && p.State != 'X' {
			all = append(all, p)
		}
	}
	return all
}

// Processes are all there are.
func Processes() (all []Process) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			if p, ok := Look(pid); ok {
				all = append(all, p)
			}
		}
	}
	return all
}

// Look is what can be seen of a process, if it is there.
func Look(pid int) (p Process, there bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return p, false
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	if len(fields) < 4 {
		return p, false
	}
	p = Process{PID: pid, State: fields[0][0]}
	for i, number := range []*int{&p.Parent, &p.Group, &p.Session} {
		*number, _ = strconv.Atoi(string(fields[i+1]))
	}
	return p, true
}

// Alive reports whether a process is there, and no zombie.
func Alive(pid int) bool {
	p, there := Look(pid)
	return there && p.State != 'Z' && p.State != 'X'
}

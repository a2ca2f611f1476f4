package testkit

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
)

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

// Carrying are the living processes that have an entry in their environment, as it was
// when they executed their program.
func Carrying(entry string) (all []Process) {
	for _, p := range Processes() {
		environ, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.PID)) // a zombie has none
		if bytes.Contains(slices.Concat([]byte{0}, environ, []byte{0}), []byte("\x00"+entry+"\x00")) && Alive(p.PID) {
			all = append(all, p)
		}
	}
	return all
}

// Marked are the living processes that an engine of that ID has started, and theirs, as
// far as they have kept their environment.
func Marked(engine string) []Process { return Carrying("PROCESSION_ENGINE=" + engine) }

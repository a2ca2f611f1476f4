//go:build linux

package soak

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"
)

// usage is what a program has. Kilobytes are those that are in use on its heap, Held
// those that its runtime has of the system, Resident those that the system counts and
// Peak the most that these have been. The race detector makes the last two useless.
type usage struct {
	Goroutines, Descriptors, Children, Kilobytes, Held, Resident, Peak int
}

// tick is how often usage is looked at until it has settled.
const tick = 50 * time.Millisecond

// lingering is how long an actor system may hold on to its memory after its end: a
// second, if a dead letter has started the goroutine of its throttle.
const lingering = 1250 * time.Millisecond

// settled is what a program has when that has not become less for so long.
func settled(measure func() usage, long time.Duration) usage {
	reference := measure()
	now := reference
	for still := time.Duration(0); still < long; still += tick {
		time.Sleep(tick)
		now = measure()
		if reference.beyond(now, 64) != "" {
			reference, still = now, 0
		}
	}
	return now
}

// measure is what this program has.
func measure() usage {
	runtime.GC()
	debug.FreeOSMemory() // collects, too: what was in a sync.Pool survives one collection
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fds, _ := os.ReadDir("/proc/self/fd")
	u := usage{Goroutines: runtime.NumGoroutine(), Descriptors: len(fds),
		Kilobytes: int(m.HeapAlloc >> 10), Held: int((m.Sys - m.HeapReleased) >> 10)}
	threads, _ := filepath.Glob("/proc/self/task/*/children")
	for _, thread := range threads {
		children, _ := os.ReadFile(thread)
		u.Children += len(strings.Fields(string(children)))
	}
	status, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(status)) {
		fmt.Sscanf(line, "VmRSS: %d kB", &u.Resident)
		fmt.Sscanf(line, "VmHWM: %d kB", &u.Peak)
	}
	return u
}

// beyond is what there is more of than before, "" if nothing; so much more on the heap
// is nothing.
func (u usage) beyond(before usage, kilobytes int) string {
	switch {
	case u.Children > before.Children:
		return "children"
	case u.Goroutines > before.Goroutines:
		return "goroutines"
	case u.Descriptors > before.Descriptors:
		return "descriptors"
	case u.Kilobytes > before.Kilobytes+kilobytes:
		return "memory"
	case u.Held > before.Held+16<<10: // pages that are used in part
		return "memory that is held"
	}
	return ""
}

// startedBy are the processes, but zombies, of the engines whose names begin so.
func startedBy(engine string) (pids []string) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		if carries(entry.Name(), engine) {
			pids = append(pids, entry.Name())
		}
	}
	return pids
}

// carries reports whether a process has the mark of such an engine.
func carries(pid, engine string) bool {
	env, _ := os.ReadFile("/proc/" + pid + "/environ") // a zombie has none
	return strings.Contains("\x00"+string(env), "\x00PROCESSION_ENGINE="+engine)
}

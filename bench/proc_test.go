//go:build linux

package bench

import (
	"os"
	"runtime"
)

// sleepTime is how long idle processes sleep, in seconds: longer than any
// benchmark, and not for ever, should one be left behind.
const sleepTime = "300"

// memory is how much of this program's memory is in use, in bytes: heap and
// stacks of goroutines.
func memory() int64 {
	runtime.GC()
	runtime.GC() // what was in a sync.Pool survives one
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// threads is how many threads this program has.
func threads() int { return countEntries("/proc/self/task") }

// descriptors is how many files this program has open.
func descriptors() int { return countEntries("/proc/self/fd") - 1 } // without the folder's own

func countEntries(dir string) int {
	entries, err := os.ReadDir(dir)
	if err != nil {
		panic(err)
	}
	return len(entries)
}

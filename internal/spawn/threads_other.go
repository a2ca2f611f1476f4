//go:build !linux

package spawn

import "runtime"

// plainThreads is how many goroutines fork: there is no parent-death signal here.
func plainThreads() int { return min(runtime.GOMAXPROCS(0), 4) }

func lockThread() {}

package spawn

import "runtime"

// plainThreads is how many threads fork.
func plainThreads() int { return min(runtime.GOMAXPROCS(0), 4) }

func lockThread() { runtime.LockOSThread() }

package spawn

import "runtime"

// lockThread locks the goroutine to its thread, as the parent-death signal asks for.
func lockThread() { runtime.LockOSThread() }

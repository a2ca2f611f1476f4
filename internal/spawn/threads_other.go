//go:build !linux

package spawn

// lockThread does nothing: there is no parent-death signal here.
func lockThread() {}

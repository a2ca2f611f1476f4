//go:build !linux

package testinit

// Boot does nothing: only Linux is booted.
func Boot() {}

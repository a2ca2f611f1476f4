//go:build !linux

package testkit

// Adopt does nothing: processes are looked for on Linux only.
func Adopt() {}

// Left is nothing.
func Left() []string { return nil }

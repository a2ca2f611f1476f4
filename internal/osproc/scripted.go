//go:build !plainly

package osproc

// plainly is set by the build tag of that name, see plainly.go.
const plainly = false

//go:build plainly

package osproc

// plainly is set by the build tag of that name: leaders are started as they are where
// the kernel refuses scripts, so that the tests can be run with that as well.
const plainly = true

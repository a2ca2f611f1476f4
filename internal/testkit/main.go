package testkit

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"
)

// Main runs the tests of a package, and fails them if they leave a goroutine or, on
// Linux, a process.
func Main(m *testing.M, options ...goleak.Option) {
	Adopt()
	goleak.VerifyTestMain(m, append(options, goleak.Cleanup(func(code int) {
		if left := Left(); len(left) > 0 {
			fmt.Fprintln(os.Stderr, "processes are left:", left)
			code = max(code, 1)
		}
		os.Exit(code)
	}))...)
}

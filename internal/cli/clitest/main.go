package clitest

import (
	"os"
	"testing"

	"github.com/moby/sys/reexec"
	"go.uber.org/goleak"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli"
	"github.com/procession-go/procession/internal/testkit"
)

// asCLI is the variable that makes the test binary the command line.
const asCLI = "PROCESSION_TEST_CLI"

// AsHelper is the variable that makes the test binary the helper that it names.
const AsHelper = "PROCESSION_TEST_HELPER"

// Main runs the tests of a package, unless the test binary was executed as the command
// line, or as one of the programs that it runs.
func Main(m *testing.M, options ...goleak.Option) {
	if procession.Init() || reexec.Init() {
		return
	}
	if name := os.Getenv(AsHelper); name != "" {
		helpers[name]()
		return
	}
	if os.Getenv(asCLI) != "" {
		os.Unsetenv(asCLI)
		cli.Main()
		return
	}
	// With the race detector a program waits for a second before it exits,
	// unless it is told not to (https://go.dev/doc/articles/race_detector).
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	testkit.Main(m, options...)
}

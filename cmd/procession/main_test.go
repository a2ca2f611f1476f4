package main

import (
	"flag"
	"os"
	"testing"

	"github.com/moby/sys/reexec"
	"go.uber.org/goleak"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

var slow = flag.Bool("slow", false, "run each way of ending 100 times")

// The test binary is also the command line, and the programs that it runs: which
// of these it is, the environment says.
const (
	asCLI    = "PROCESSION_TEST_CLI"
	asHelper = "PROCESSION_TEST_HELPER"
)

func TestMain(m *testing.M) {
	if procession.Init() || reexec.Init() {
		return
	}
	if name := os.Getenv(asHelper); name != "" {
		helpers[name]()
		return
	}
	if os.Getenv(asCLI) != "" {
		os.Unsetenv(asCLI)
		main()
	}
	// With the race detector a program waits for a second before it exits,
	// unless it is told not to (https://go.dev/doc/articles/race_detector).
	os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0")
	// What lumberjack removes old logs by never ends.
	testkit.Main(m, goleak.IgnoreTopFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"))
}

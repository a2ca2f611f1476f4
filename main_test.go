//go:build linux

package procession_test

import (
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/program"
)

// helpers are what the test binary can be besides a test binary, by name. They
// find their arguments in os.Args[1:].
var helpers = program.All

func TestMain(m *testing.M) {
	program.Main()
	// The actor system's throttle of dead letters ends by itself after a second.
	throttle := goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1")
	testkit.Main(m, throttle)
}

// patience is how long a test waits for what must happen: the machine may be
// busy.
const patience = 30 * time.Second

// helper is a Spec that runs a helper.
func helper(name string, args ...string) procession.Spec { return program.Spec(name, args...) }

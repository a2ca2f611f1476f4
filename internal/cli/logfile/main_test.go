package logfile

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/procession-go/procession/internal/testkit"
)

func TestMain(m *testing.M) {
	// What lumberjack removes old logs by never ends.
	testkit.Main(m, goleak.IgnoreTopFunction("gopkg.in/natefinch/lumberjack%2ev2.(*Logger).millRun"))
}

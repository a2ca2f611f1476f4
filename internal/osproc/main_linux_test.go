package osproc

import (
	"os"
	"testing"

	"github.com/procession-go/procession/internal/testinit"
	"github.com/procession-go/procession/internal/testkit"
)

func TestMain(m *testing.M) {
	testinit.Boot()
	if help := helpers[os.Getenv(helperVariable)]; help != nil {
		help()
		return
	}
	testkit.Main(m)
}

// helperVariable names what the test binary is to be besides a test binary.
const helperVariable = "OSPROC_TEST_HELPER"

var helpers = map[string]func(){}

package run_test

import (
	"testing"

	"github.com/procession-go/procession/internal/cli/clitest"
)

func TestMain(m *testing.M) { clitest.Main(m) }

package backlog

import (
	"testing"

	"github.com/procession-go/procession/internal/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }

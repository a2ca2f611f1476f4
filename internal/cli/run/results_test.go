package run

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
)

func TestExitText(t *testing.T) {
	for want, exit := range map[string]procession.Exit{
		"0":                 {},
		"3":                 {Code: 3},
		"SIGSEGV":           {Code: -1, Signal: "SIGSEGV"},
		"SIGTERM (timeout)": {Code: -1, Signal: "SIGTERM", Cause: procession.CauseTimeout},
		"0 (killed)":        {Cause: procession.CauseKilled},
	} {
		assert.Equal(t, want, exitText(exit), "%+v", exit)
	}
}

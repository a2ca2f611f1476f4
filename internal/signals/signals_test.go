package signals

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]syscall.Signal{
		"SIGTERM": syscall.SIGTERM, "term": syscall.SIGTERM, "Int": syscall.SIGINT, "sigquit": syscall.SIGQUIT,
		"15": syscall.SIGTERM, "64": 64, "1": syscall.SIGHUP,
		"": 0, "0": 0, "-1": 0, "65": 0, "SIG": 0, "SIGNOPE": 0, "TERM ": 0,
	} {
		got, err := Parse(text)
		assert.Equal(t, want, got, "%q", text)
		assert.Equal(t, want == 0, err != nil, "%q", text)
	}
}

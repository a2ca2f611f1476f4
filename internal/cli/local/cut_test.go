//go:build linux

package local_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/cli/clitest"
)

// Whoever runs a command is told if its output was not awaited to its end.
func TestCutOutputIsTold(t *testing.T) {
	const said = "output of sh was cut: something that it started still held it open"
	for line, told := range map[string]bool{
		"echo hi; sleep 1000 &":                    true,
		"echo hi; sleep 1000 >/dev/null &":         true,
		"echo hi; sleep 1000 >/dev/null 2>&1 &":    false,
		"echo hi; sleep 0.1 &":                     false,
		"echo hi; (sleep 0.1; exec 1>&- 2>&-) & :": false,
	} {
		got := clitest.Run(t, "run", "--", "sh", "-c", line)
		assert.Equal(t, 0, got.Code, line)
		assert.Equal(t, "hi\n", got.Stdout, line)
		if told {
			assert.Contains(t, got.Stderr, said, line)
		} else {
			assert.Empty(t, got.Stderr, line)
		}
	}

	side := clitest.Run(t, "run", "--name", "sh", "--name", "whole", "echo hi; sleep 1000 &", "echo hi")
	assert.Contains(t, side.Stderr, said)
	assert.NotContains(t, side.Stderr, "whole")

	pool := clitest.Run(t, "up", clitest.PoolFile(t, "Procfile", "left: echo hi; sleep 1000 &\n"))
	assert.Contains(t, pool.Stdout+pool.Stderr, "exited: exit status 0, output cut: something that it started still held it open")
}

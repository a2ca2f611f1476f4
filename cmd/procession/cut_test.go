//go:build linux

package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Whoever runs a command is told if its output was not awaited to its end.
func TestCutOutputIsTold(t *testing.T) {
	const said = "output of sh was cut"
	for line, told := range map[string]bool{
		"echo hi; sleep 1000 &":                    true,
		"echo hi; sleep 1000 >/dev/null &":         true,
		"echo hi; sleep 1000 >/dev/null 2>&1 &":    false,
		"echo hi; sleep 0.1 &":                     false,
		"echo hi; (sleep 0.1; exec 1>&- 2>&-) & :": false,
	} {
		got := runCLI(t, "run", "--", "sh", "-c", line)
		assert.Equal(t, 0, got.code, line)
		assert.Equal(t, "hi\n", got.stdout, line)
		if told {
			assert.Contains(t, got.stderr, said, line)
		} else {
			assert.Empty(t, got.stderr, line)
		}
	}

	side := runCLI(t, "run", "--name", "sh", "--name", "whole", "echo hi; sleep 1000 &", "echo hi")
	assert.Contains(t, side.stderr, said)
	assert.NotContains(t, side.stderr, "whole")

	pool := runCLI(t, "up", poolFile(t, "Procfile", "left: echo hi; sleep 1000 &\n"))
	assert.Contains(t, pool.stdout+pool.stderr, "exited: exit status 0, output cut")
}

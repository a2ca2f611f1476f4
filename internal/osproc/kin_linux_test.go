package osproc

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVariable(t *testing.T) {
	for env, want := range map[string]string{
		"":                             "",
		"NAME=value":                   "value",
		"NAME=value\x00":               "value",
		"A=b\x00NAME=value\x00C=d\x00": "value",
		"NAME=\x00":                    "",
		"NAME=a=b\x00":                 "a=b",
		"XNAME=x\x00NAMEX=x\x00":       "",
		"A=NAME=x\x00":                 "",
		// bash, while it imports what comes next, or all of it:
		"A=b\x00NAME\x00value\x00C=d\x00":   "value",
		"A\x00b\x00NAME\x00value\x00C\x00d": "value",
		"NAME\x00":                          "",
		"NAME":                              "",
		"NAME\x00\x00A=b":                   "",
	} {
		require.Equal(t, want, variable([]byte(env), "NAME"), "%q", env)
	}
}

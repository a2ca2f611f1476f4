//go:build unix

package cli_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
)

func TestHelpAndVersion(t *testing.T) {
	for args, want := range map[string]string{
		"--help":     "Available Commands",
		"":           "Available Commands",
		"help":       "Available Commands",
		"help run":   "128+n signal n has ended the command\n",
		"run --help": "128+n signal n has ended the command\n",
		"version":    "procession ",
	} {
		got := clitest.Run(t, strings.Fields(args)...)
		assert.Zero(t, got.Code, "exit code of %q", args)
		assert.Empty(t, got.Stderr, "%q", args)
		assert.Contains(t, got.Stdout, want, "%q", args)
	}
}

func TestCommandsThatAreUnknown(t *testing.T) {
	for args, says := range map[string]string{"walk": `unknown command "walk"`, "help walk": `unknown command "walk"`, "version x": "unknown"} {
		got := clitest.Run(t, strings.Fields(args)...)
		assert.Equal(t, console.CodeUsage, got.Code, "exit code of %q", args)
		assert.Empty(t, got.Stdout, "%q", args)
		clitest.OneLine(t, got.Stderr, says)
	}
}

//go:build unix

package cli_test

import (
	"strings"
	"testing"

	"github.com/procession-go/procession/internal/cli/clitest"
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
		if got.Code != 0 || got.Stderr != "" || !strings.Contains(got.Stdout, want) {
			t.Errorf("%q: exit code %d, stderr %q, stdout %q", args, got.Code, got.Stderr, got.Stdout)
		}
	}
}

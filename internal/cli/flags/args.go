// Package flags has the flags that several commands share, and their values.
package flags

import (
	"github.com/spf13/cobra"

	"github.com/procession-go/procession/internal/cli/console"
)

// NoArgs refuses arguments.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return console.Usagef("unknown command %q; see %s --help", args[0], cmd.CommandPath())
	}
	return nil
}

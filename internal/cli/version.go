package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/flags"
)

func newVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of procession and of the Go it was built with",
		Args:  flags.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			_, err := fmt.Fprintln(cmd.OutOrStdout(), version(info))
			return console.UnlessUnread(err)
		},
	}
}

// version is one line: the module's version, the commit if it was built from a
// checkout, and the Go version and platform.
func version(info *debug.BuildInfo) string {
	parts := []string{"procession"}
	if info == nil {
		return strings.Join(append(parts, "(unknown)", runtime.Version(), platform), " ")
	}
	module := info.Main.Version
	if module == "" {
		module = "(devel)"
	}
	parts = append(parts, module)
	vcs := map[string]string{}
	for _, s := range info.Settings {
		vcs[s.Key] = s.Value
	}
	if revision := vcs["vcs.revision"]; revision != "" {
		commit := "commit " + revision[:min(12, len(revision))]
		if at := vcs["vcs.time"]; at != "" {
			commit += " of " + at
		}
		if vcs["vcs.modified"] == "true" {
			commit += ", modified"
		}
		parts = append(parts, "("+commit+")")
	}
	return strings.Join(append(parts, info.GoVersion, platform), " ")
}

const platform = runtime.GOOS + "/" + runtime.GOARCH

package cli

import (
	"github.com/spf13/cobra"

	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/flags"
	"github.com/procession-go/procession/internal/cli/mcp"
	"github.com/procession-go/procession/internal/cli/run"
	"github.com/procession-go/procession/internal/cli/up"
)

// execute runs the command line and answers the exit code.
func execute(c *console.Console, args []string) int {
	console.SwallowBrokenPipes()
	root := newRoot(c)
	root.SetArgs(args)
	return c.Report(root.Execute())
}

func newRoot(c *console.Console) *cobra.Command {
	root := &cobra.Command{
		Use:   "procession",
		Short: "Run processes, and leak none",
		Long: `Procession runs processes. It never leaks one, never hangs on one, and never
loses the end of its output: whatever a process has started ends with it.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          flags.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(c.Stdout)
	root.SetErr(c.Stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return console.Usage(err) })
	root.AddCommand(run.NewCommand(c), up.NewCommand(c), up.NewCheckCommand(c), mcp.NewCommand(c), newVersionCommand())
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"})
	help.Args = func(_ *cobra.Command, args []string) error {
		if found, _, _ := root.Find(args); found == root {
			return flags.NoArgs(root, args)
		}
		return nil
	}
	return root
}

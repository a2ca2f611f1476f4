package main

import (
	"github.com/spf13/cobra"
)

// execute runs the command line and answers the exit code.
func execute(c *console, args []string) int {
	swallowBrokenPipes()
	root := newRoot(c)
	root.SetArgs(args)
	return c.report(root.Execute())
}

func newRoot(c *console) *cobra.Command {
	root := &cobra.Command{
		Use:   "procession",
		Short: "Run processes, and leak none",
		Long: `Procession runs processes. It never leaks one, never hangs on one, and never
loses the end of its output: whatever a process has started ends with it.`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(c.stdout)
	root.SetErr(c.stderr)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(newRunCommand(c), newUpCommand(c), newCheckCommand(c), newMCPCommand(c), newVersionCommand())
	root.InitDefaultHelpCmd()
	help, _, _ := root.Find([]string{"help"})
	help.Args = func(_ *cobra.Command, args []string) error {
		if found, _, _ := root.Find(args); found == root {
			return noArgs(root, args)
		}
		return nil
	}
	return root
}

// unlessUnread is err, nil if it is that nobody reads what was written any more.
func unlessUnread(err error) error {
	if isBrokenPipe(err) {
		return nil
	}
	return err
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unknown command %q; see %s --help", args[0], cmd.CommandPath())
	}
	return nil
}

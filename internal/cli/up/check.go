package up

import (
	"io"
	"strconv"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/screen"
	"github.com/procession-go/procession/internal/poolfile"
)

// NewCheckCommand makes the command procession check.
func NewCheckCommand(c *console.Console) *cobra.Command {
	var flags poolFlags
	cmd := &cobra.Command{
		Use:   "check [flags] [FILE]",
		Short: "Check a Procfile or a procession.yaml, and show its plan",
		Long: `Check a Procfile or a procession.yaml, and show in which order its processes
are started, and when. Nothing is started.

Without FILE it is procession.yaml, procession.yml or Procfile, whichever is
there first. If something is wrong with it, all that is wrong is written to
standard error, each with its line, and the exit code is 2.`,
		Example: `  procession check
  procession check -m web=2,worker=1 Procfile`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			pool, err := flags.load(c, args)
			if err != nil {
				return err
			}
			return console.UnlessUnread(printPlan(c, pool))
		},
	}
	cmd.Flags().SortFlags = false
	flags.register(cmd.Flags())
	return cmd
}

// printPlan shows the processes in the order in which they are started.
func printPlan(c *console.Console, pool *poolfile.Pool) error {
	var rows [][]string
	for n, i := range pool.StartOrder() {
		p := &pool.Processes[i]
		rows = append(rows, []string{
			strconv.Itoa(n + 1), p.Spec.Name, whenText(p.DependsOn), p.Spec.Restart.When.String(), commandText(p),
		})
	}
	lines := screen.Table([]screen.Column{screen.Right(""), screen.Left("NAME"), screen.Left("STARTS"), screen.Left("RESTART"), screen.Left("COMMAND")}, rows)
	_, err := io.WriteString(c.Stdout, screen.Paint(color.Bold, c.Stdout.Coloured(), lines[0])+"\n"+
		strings.Join(lines[1:], "\n")+"\nThey are stopped in the opposite order.\n")
	return err
}

// whenText is what a process waits for.
func whenText(dependencies []poolfile.Dependency) string {
	if len(dependencies) == 0 {
		return "at once"
	}
	texts := make([]string, len(dependencies))
	for i, d := range dependencies {
		texts[i] = d.Name + " " + d.Condition.String()
	}
	return "when " + strings.Join(texts, ", ")
}

// commandText is what a process runs, as its file has it, more or less.
func commandText(p *poolfile.Process) string {
	if p.Spec.Command == "/bin/sh" && len(p.Spec.Args) == 2 && p.Spec.Args[0] == "-c" {
		return strings.Join(strings.Fields(p.Spec.Args[1]), " ")
	}
	words := append([]string{p.Spec.Command}, p.Spec.Args...)
	for i, word := range words {
		if word == "" || strings.ContainsAny(word, " \t\n\"'\\") {
			words[i] = strconv.Quote(word)
		}
	}
	return strings.Join(words, " ")
}

// Package run is the command procession run: one process, passed through untouched, or
// several side by side.
package run

import (
	"github.com/spf13/cobra"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/flags"
)

// runFlags are the flags of procession run.
type runFlags struct {
	process  flags.Process
	profile  flags.Profile
	names    []string
	quiet    bool
	terminal bool
	stdin    bool
}

// NewCommand makes the command procession run.
func NewCommand(c *console.Console) *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "run [flags] -- COMMAND [ARG...]\n  procession run [flags] LINE...",
		Short: "Run one command, or several shell lines side by side",
		Long: `Run one command, or several shell lines side by side.

After --, COMMAND is run as it is, without a shell. Its standard output and
standard error are passed on byte for byte.

Without --, each LINE is run by /bin/sh, all at the same time. Every line of
their output is preceded by the name of the process it came from, and at the end
a table shows how each has ended.

Ctrl-C asks what runs to end, and kills it when the grace is over; Ctrl-C again,
300 ms or more after the first, kills it at once. So do SIGTERM and SIGQUIT.
SIGHUP asks it to end, too, but never kills. If it is ending already, the first says
for how long that is waited for. At a terminal Ctrl-C is a SIGINT for
it, as if it had the terminal; otherwise it is asked by the stop signal. SIGUSR1,
SIGUSR2 and SIGWINCH are passed on to it. A signal that procession was started to
ignore (nohup, & in a script) stays ignored. If nobody reads the output any more
(procession run ... | head), what runs is asked to end too.

Output waits for its reader. Only after such a signal, when what ran is gone and
nobody has taken any of it for as long as the grace, is the rest of it lost, which
is said on standard error.

A process, and everything that it has started, never outlives procession.
Standard input is empty, unless -i or -t says otherwise. With -t it is typed at the
terminal, whatever file it is, and so is its end.`,
		Example: `  procession run -- make test
  procession run -C server -e PORT=8080 --timeout 10m -- ./serve --verbose
  procession run 'npm run api' 'npm run web' 'tail -f log/*.log'
  procession run --name api --name web './api' 'cd web && npm start'
  procession run -t -- vi notes.txt
  sort names.txt | procession run -i -- uniq -c`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(c, &flags, cmd.ArgsLenAtDash(), args)
		},
	}
	cmd.SetUsageTemplate(cmd.UsageTemplate() + exitCodesHelp)
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.BoolVarP(&flags.terminal, "tty", "t", false, "run it on a terminal of its own, the size of this one")
	fs.BoolVarP(&flags.stdin, "stdin", "i", false, "pass standard input on to it")
	flags.process.Register(fs)
	fs.StringArrayVar(&flags.names, "name", nil, "`name` of a process, in the order of the lines (repeatable)")
	fs.BoolVarP(&flags.quiet, "quiet", "q", false, "no table at the end")
	flags.profile.Register(fs)
	return cmd
}

const exitCodesHelp = `
Exit codes:
  the command's own; of several, that of the first that failed
  2     this command line is wrong
  124   the command was ended by --timeout, and returned 0
  125   procession itself has failed, or output was lost and the command returned 0
  126   the command is there, but cannot be executed
  127   the command was not found
  128+n signal n has ended the command
`

// run runs what the command line asks for. dash is how many arguments come
// before "--", -1 if there is none.
func run(c *console.Console, flags *runFlags, dash int, args []string) error {
	alone := flags.terminal || flags.stdin
	switch {
	case len(args) == 0:
		return console.Usagef("nothing to run; see procession run --help")
	case dash > 0:
		return console.Usagef("shell lines and a command after -- do not go together")
	case dash < 0 && alone && len(args) > 1:
		return console.Usagef("-t and -i are for one process")
	case len(flags.names) > len(args) || (dash == 0 && len(flags.names) > 1):
		return console.Usagef("--name: %d names for fewer processes", len(flags.names))
	}
	if err := checkNames(flags.names); err != nil {
		return err
	}
	if dash < 0 {
		if err := checkLines(args); err != nil {
			return err
		}
	}
	if dash < 0 && !alone {
		return flags.profile.During(c, func() error { return runSideBySide(c, flags, args) })
	}
	command := procession.Shell(args[0])
	if dash == 0 {
		command = procession.Spec{Command: args[0], Args: args[1:]}
	}
	command.Name = args[0]
	if len(flags.names) > 0 {
		command.Name = flags.names[0]
	}
	spec, err := flags.process.Spec(command)
	if err != nil {
		return err
	}
	return flags.profile.During(c, func() error { return runSingle(c, flags, spec) })
}

// Package up has the commands procession up and procession check, which run the processes
// of a Procfile or a procession.yaml and show in which order they are started.
package up

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/flags"
)

// upFlags are the flags of procession up.
type upFlags struct {
	pool      poolFlags
	pprof     flags.Pprof
	keepGoing bool
	noPrefix  bool
	logDir    string
	grace     time.Duration
	stop      flags.StopSignal
}

// NewCommand makes the command procession up.
func NewCommand(c *console.Console) *cobra.Command {
	var flags upFlags
	cmd := &cobra.Command{
		Use:   "up [flags] [FILE]",
		Short: "Run the processes of a Procfile or a procession.yaml",
		Long: `Run the processes of a Procfile or a procession.yaml. Without FILE it is
procession.yaml, procession.yml or Procfile, whichever is there first.

Each process is started as soon as what it depends on is started, ready or has
exited successfully, as the file says; those that depend on nothing at once. If
that cannot come about any more, it is not started.

The variables of a file .env beside a Procfile are set for its processes. They are
read as Docker Compose does: in 'single quotes' everything stays as it is; elsewhere
$NAME and ${NAME} are values, ${NAME:-text} has a default, and $$ is a dollar.

When a process has ended for good the rest is stopped, unless --keep-going, or
unless it has exited with 0 and another depends on that. The exit code is that of
the first process that failed, otherwise 0; one that was stopped has not failed, one
that was started again too often has, whatever it returned.

Ctrl-C stops the processes: those that nothing depends on first, then, when these
are gone, those that they depended on. Ctrl-C again, 300 ms or more after the
first, kills them all at once. So do SIGTERM and SIGQUIT. SIGHUP stops them, too,
but never kills. If they are being stopped already, the first says what is waited
for, and for how long. Output that nobody takes for as long as the longest grace is lost
then, once they are gone, which is said on standard error.

Every line of output is preceded by the name of its process; what a carriage return
brings to the beginning of its line begins it anew. What procession has to say, about
starts, ends and restarts, is on standard error, after "system".

Of a process with a terminal (pty), and whenever the output goes to one, colours are
passed on, and no other control sequences; what moves the cursor to another line ends
the line. A line without an end, such as a prompt, is shown within a second.

Standard input is empty. That of a Procfile's processes, and of those with stdin: open,
stays open and is silent.`,
		Example: `  procession up
  procession up -m web=2,worker=1 --port 8000 Procfile
  procession up --log-dir logs procession.yaml`,
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			pool, err := flags.pool.load(c, args)
			switch {
			case err != nil:
				return err
			case flags.grace < 0:
				return console.Usagef("--grace: %v is negative", flags.grace)
			}
			flags.stop.Complete(pool)
			return flags.pprof.During(c, func() error { return up(c, &flags, pool) })
		},
	}
	cmd.SetUsageTemplate(cmd.UsageTemplate() + upExitCodesHelp)
	fs := cmd.Flags()
	fs.SortFlags = false
	flags.pool.register(fs)
	fs.BoolVar(&flags.keepGoing, "keep-going", false, "let the rest run when a process has ended")
	fs.BoolVar(&flags.noPrefix, "no-prefix", false, "pass lines on without the name of their process")
	fs.StringVar(&flags.logDir, "log-dir", "",
		"also append the output of each process, byte for byte, to NAME.log in this `directory`, and when that has 10 MB to another; 10 old ones are kept; what cannot be written is missing, which is said, and one that was removed is begun anew")
	fs.DurationVar(&flags.grace, "grace", procession.DefaultGrace,
		"`time` a process gets to end before it is killed, if the file does not say")
	flags.stop.Register(fs, ", if the file does not say")
	flags.pprof.Register(fs)
	return cmd
}

const upExitCodesHelp = `
Exit codes:
  that of the first process that failed, 1 if it failed otherwise
  2     this command line, or the file, is wrong
  124   a process was ended by its timeout, and returned 0
  125   procession itself has failed, or output was lost and no process failed
  126   a command is there, but cannot be executed
  127   a command was not found
  128+n signal n has ended a process
`

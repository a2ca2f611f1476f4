package flags

import (
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/backlog"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/osproc"
)

// Process are the flags that say how a process runs.
type Process struct {
	dir         string
	env         []string
	clearEnv    bool
	timeout     time.Duration
	grace       time.Duration
	stopSignal  StopSignal
	outputLimit Size
}

// defaultOutputLimit is how much of the output waits for its reader, before the process
// does. A backlog takes up to backlog.Limit more, and the pipes what they have room for.
const defaultOutputLimit Size = 1 << 20

// Register adds the flags to a command.
func (p *Process) Register(flags *pflag.FlagSet) {
	p.outputLimit = defaultOutputLimit
	flags.StringVarP(&p.dir, "dir", "C", "", "working `directory`")
	flags.StringArrayVarP(&p.env, "env", "e", nil, "set an environment variable, `NAME=VALUE` (repeatable)")
	flags.BoolVar(&p.clearEnv, "clear-env", false, "start from an empty environment")
	flags.DurationVar(&p.timeout, "timeout", 0, "end a process after this `time`: 90s, 1h30m (default never)")
	flags.DurationVar(&p.grace, "grace", procession.DefaultGrace, "`time` a process gets to end before it is killed")
	p.stopSignal.Register(flags, "")
	flags.Var(&p.outputLimit, "output-limit", "output of a process that may wait for its reader, before the process does, a `size`: 64KiB, 1MiB, unlimited; besides, about "+humanize.IBytes(backlog.Limit)+" of it wait inside procession")
}

// Spec is the Spec that the flags make of command.
func (p *Process) Spec(command procession.Spec) (procession.Spec, error) {
	env, err := parseEnv(p.env)
	switch {
	case err != nil:
		return command, err
	case p.timeout < 0:
		return command, console.Usagef("--timeout: %v is negative", p.timeout)
	case p.grace < 0:
		return command, console.Usagef("--grace: %v is negative", p.grace)
	}
	if p.dir != "" {
		if err := osproc.CheckDir(p.dir); err != nil {
			return command, console.Usagef("--dir: %w", err)
		}
	}
	command.Dir, command.Env, command.ClearEnv = p.dir, env, p.clearEnv
	command.Timeout, command.OutputLimit = p.timeout, int64(p.outputLimit)
	command.Grace = max(p.grace, 1) // 0 would be the engine's default
	command.StopSignal = syscall.Signal(p.stopSignal)
	return command, nil
}

// parseEnv splits NAME=VALUE; of two for one name the last counts.
func parseEnv(entries []string) (map[string]string, error) {
	env := make(map[string]string, len(entries))
	for _, entry := range entries {
		name, value, ok := strings.Cut(entry, "=")
		if !ok || name == "" {
			return nil, console.Usagef("--env: %q is not NAME=VALUE", entry)
		}
		env[name] = value
	}
	return env, nil
}

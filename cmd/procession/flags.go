package main

import (
	"fmt"
	"math"
	"strings"
	"syscall"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/spf13/pflag"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/osproc"
)

// processFlags are the flags that say how a process runs.
type processFlags struct {
	dir         string
	env         []string
	clearEnv    bool
	timeout     time.Duration
	grace       time.Duration
	stopSignal  stopSignal
	outputLimit size
}

// defaultOutputLimit is how much of the output waits for its reader, before the process
// does. The backlog takes up to fullAt more, and the pipes theirs.
const defaultOutputLimit size = 1 << 20

func (p *processFlags) register(flags *pflag.FlagSet) {
	p.outputLimit = defaultOutputLimit
	flags.StringVarP(&p.dir, "dir", "C", "", "working `directory`")
	flags.StringArrayVarP(&p.env, "env", "e", nil, "set an environment variable, `NAME=VALUE` (repeatable)")
	flags.BoolVar(&p.clearEnv, "clear-env", false, "start from an empty environment")
	flags.DurationVar(&p.timeout, "timeout", 0, "end a process after this `time`: 90s, 1h30m (default never)")
	flags.DurationVar(&p.grace, "grace", procession.DefaultGrace, "`time` a process gets to end before it is killed")
	p.stopSignal.register(flags, "")
	flags.Var(&p.outputLimit, "output-limit", "output of a process that may wait for its reader, before the process does, a `size`: 64KiB, 1MiB, unlimited; besides, about "+humanize.IBytes(fullAt)+" of it wait inside procession")
}

// spec is the Spec that the flags make of command.
func (p *processFlags) spec(command procession.Spec) (procession.Spec, error) {
	env, err := parseEnv(p.env)
	switch {
	case err != nil:
		return command, err
	case p.timeout < 0:
		return command, usagef("--timeout: %v is negative", p.timeout)
	case p.grace < 0:
		return command, usagef("--grace: %v is negative", p.grace)
	}
	if p.dir != "" {
		if err := osproc.CheckDir(p.dir); err != nil {
			return command, usagef("--dir: %w", err)
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
			return nil, usagef("--env: %q is not NAME=VALUE", entry)
		}
		env[name] = value
	}
	return env, nil
}

// size is a number of bytes, or procession.Unlimited.
type size int64

// Set reads "64KiB", "1 MB", "4096" or "unlimited".
func (s *size) Set(text string) error {
	if text == "unlimited" {
		*s = size(procession.Unlimited)
		return nil
	}
	n, err := humanize.ParseBytes(text)
	switch {
	case err != nil || text == "":
		return fmt.Errorf("want a size such as 64KiB or 1MiB, or unlimited")
	case n == 0 || n > math.MaxInt64:
		return fmt.Errorf("want at least 1 byte, and less than 8 EiB")
	}
	*s = size(n)
	return nil
}

// String is the size in the form that Set reads.
func (s *size) String() string {
	if int64(*s) == procession.Unlimited {
		return "unlimited"
	}
	return strings.ReplaceAll(humanize.IBytes(uint64(*s)), " ", "")
}

// Type is what the help calls the value.
func (*size) Type() string { return "size" }

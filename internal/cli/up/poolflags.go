package up

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/terminal"
	"github.com/procession-go/procession/internal/poolfile"
)

// poolFlags are the flags of the commands that read a pool file.
type poolFlags struct {
	formation string
	port      int
}

func (p *poolFlags) register(flags *pflag.FlagSet) {
	flags.StringVarP(&p.formation, "formation", "m", "",
		"of a Procfile, how many of each to run: `web=2,worker=1`; those not named are left out, unless all=1 is there too")
	flags.IntVar(&p.port, "port", 0,
		"of a Procfile, the first `PORT` (default that of .env, that of the environment, or 5000)")
}

// load reads the pool file that the arguments name, or that of this directory.
// What is wrong with it is said.
func (p *poolFlags) load(c *console.Console, args []string) (*poolfile.Pool, error) {
	path := ""
	switch len(args) {
	case 0:
		found, err := poolfile.Find(".")
		if err != nil {
			return nil, console.Usage(err)
		}
		path = found
	case 1:
		path = args[0]
	default:
		return nil, console.Usagef("one file at a time; %q is another", args[1])
	}
	if poolfile.IsYAML(path) && (p.formation != "" || p.port != 0) {
		return nil, console.Usagef("--formation and --port are for a Procfile; %s is none", path)
	}
	pool, err := poolfile.Load(path, poolfile.Options{Formation: p.formation, Port: p.port})
	var problems poolfile.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(c.Stderr, problems)
		return nil, console.ExitStatus(console.CodeUsage)
	} else if err != nil {
		return nil, console.Usage(err)
	}
	for _, warning := range pool.Warnings {
		c.Say("%v", warning)
	}
	return pool, nil
}

// complete puts in what a spec of a pool file leaves open.
func complete(spec procession.Spec, grace time.Duration) procession.Spec {
	if spec.Grace == 0 {
		spec.Grace = max(grace, 1) // 0 would be the engine's default
	}
	if spec.PTY != nil {
		spec.Env = terminal.WithTerm(spec.Env)
	}
	return spec
}

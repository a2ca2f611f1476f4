package flags

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/spf13/pflag"

	"github.com/procession-go/procession/internal/cli/console"
)

// Profile are the flags that write profiles of this program itself.
type Profile struct{ cpu, memory string }

// Register adds the flags to a command.
func (p *Profile) Register(flags *pflag.FlagSet) {
	flags.StringVar(&p.cpu, "cpuprofile", "",
		"write to this `file` where procession itself spends CPU time, for go tool pprof")
	flags.StringVar(&p.memory, "memprofile", "",
		"write to this `file` what procession itself allocates, for go tool pprof")
}

// During runs f, and writes the profiles when f has returned. It returns the error of f; or
// if f has none, why a profile could not be written.
func (p *Profile) During(c *console.Console, f func() error) error {
	finish, err := p.start()
	if err != nil {
		return err
	}
	err = f()
	switch failed := finish(); {
	case failed == nil:
		return err
	case err == nil:
		return failed
	default:
		c.Say("%v", failed)
		return err
	}
}

// start opens the files, so that one that cannot be written is known before
// anything runs.
func (p *Profile) start() (finish func() error, err error) {
	cpu, err := createProfile("--cpuprofile", p.cpu)
	if err != nil {
		return nil, err
	}
	memory, err := createProfile("--memprofile", p.memory)
	if err != nil {
		cpu.Close()
		return nil, err
	}
	if cpu != nil {
		if err := pprof.StartCPUProfile(cpu); err != nil {
			return nil, errors.Join(fmt.Errorf("--cpuprofile: %w", err), cpu.Close(), memory.Close())
		}
	}
	return func() error {
		var failed []error
		if cpu != nil {
			pprof.StopCPUProfile()
			if err := cpu.Close(); err != nil {
				failed = append(failed, fmt.Errorf("--cpuprofile: %w", err))
			}
		}
		if memory != nil {
			if err := errors.Join(pprof.Lookup("allocs").WriteTo(memory, 0), memory.Close()); err != nil {
				failed = append(failed, fmt.Errorf("--memprofile: %w", err))
			}
		}
		return errors.Join(failed...)
	}, nil
}

// createProfile is nil if there is no path.
func createProfile(flag, path string) (*os.File, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, console.Usagef("%s: %w", flag, err)
	}
	return file, nil
}

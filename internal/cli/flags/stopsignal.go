package flags

import (
	"syscall"

	"github.com/spf13/pflag"

	"github.com/procession-go/procession/internal/poolfile"
	"github.com/procession-go/procession/internal/signals"
)

// StopSignal is the signal that asks a process to end; 0 is the engine's default.
type StopSignal syscall.Signal

// Register adds the flag to a command. Its help ends with where.
func (s *StopSignal) Register(flags *pflag.FlagSet, where string) {
	flags.Var(s, "stop-signal", "`signal` that asks a process to end: SIGINT, quit, 10"+where+" (default SIGTERM)")
}

// Complete sets the signal in a pool for the processes whose file names none.
func (s *StopSignal) Complete(pool *poolfile.Pool) {
	for i := range pool.Processes {
		if spec := &pool.Processes[i].Spec; spec.StopSignal == 0 {
			spec.StopSignal = syscall.Signal(*s)
		}
	}
}

// Set reads what package signals does.
func (s *StopSignal) Set(text string) error {
	sig, err := signals.Parse(text)
	*s = StopSignal(sig)
	return err
}

// String is empty for the default.
func (s *StopSignal) String() string {
	if *s == 0 {
		return ""
	}
	return signals.Name(syscall.Signal(*s))
}

// Type is what the help calls the value.
func (*StopSignal) Type() string { return "signal" }

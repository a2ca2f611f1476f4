package main

import (
	"syscall"

	"github.com/spf13/pflag"

	"github.com/procession-go/procession/internal/poolfile"
	"github.com/procession-go/procession/internal/signals"
)

// stopSignal is the signal that asks a process to end; 0 is the engine's default.
type stopSignal syscall.Signal

// register adds the flag; where is said in its help.
func (s *stopSignal) register(flags *pflag.FlagSet, where string) {
	flags.Var(s, "stop-signal", "`signal` that asks a process to end: SIGINT, quit, 10"+where+" (default SIGTERM)")
}

// complete has it end the processes whose file names no signal.
func (s *stopSignal) complete(pool *poolfile.Pool) {
	for i := range pool.Processes {
		if spec := &pool.Processes[i].Spec; spec.StopSignal == 0 {
			spec.StopSignal = syscall.Signal(*s)
		}
	}
}

// Set reads what package signals does.
func (s *stopSignal) Set(text string) error {
	sig, err := signals.Parse(text)
	*s = stopSignal(sig)
	return err
}

// String is empty for the default.
func (s *stopSignal) String() string {
	if *s == 0 {
		return ""
	}
	return signals.Name(syscall.Signal(*s))
}

// Type is what the help calls the value.
func (*stopSignal) Type() string { return "signal" }

package messages

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/procession-go/procession/supervisor"
)

// Unlimited as an OutputLimit retains all output. The log then grows with what
// the process prints.
const Unlimited int64 = -1

// Spec says what to run and how. Only Command is required; the zero value of
// every other field is its default.
type Spec struct {
	// Name is for people: tables, prefixes, logs. It need not be unique, nor be
	// given.
	Name string
	// Command is the program: a path, or a name looked up on the engine's own
	// PATH as os/exec does. A relative path is relative to Dir.
	Command string
	// Args are the program's arguments, the program itself not included.
	Args []string
	// Dir is the working directory. "" is the engine's own. The error of a start
	// names it if it is missing, is no directory or may not be entered.
	Dir string
	// Env is added to the engine's environment and overrides it.
	Env map[string]string
	// ClearEnv starts from an empty environment instead of the engine's, so
	// that the process sees Env and the engine's two marks only.
	ClearEnv bool
	// Labels are for selecting processes, e.g. {"agent": "a1"}.
	Labels map[string]string
	// OutputLimit is how many bytes of output are retained, stdout and stderr
	// together; the oldest go first. 0 is the engine's default (1 MiB unless
	// WithOutputLimit says otherwise), Unlimited (-1) retains everything.
	OutputLimit int64
	// Overflow says what happens when more than that is printed than is read. The
	// zero value drops the oldest.
	Overflow Overflow
	// Stdin keeps a pipe open for Write. Otherwise stdin is the null device.
	Stdin bool
	// PTY, if not nil, runs the process on a pseudo-terminal of this size. Its
	// output is one stream, Stdout, Write works without Stdin, and TERM is
	// xterm-256color unless Env has it, also with ClearEnv.
	PTY *Size
	// Timeout ends the process, as Kill does, this long after it started; its
	// exit then has CauseTimeout. It runs anew for each incarnation. 0 is never.
	Timeout time.Duration
	// Grace is the time between StopSignal and SIGKILL when the process is
	// stopped. It is also the longest that output is waited for after the leader
	// has exited by itself, until what holds it open is stopped, too.
	// 0 is the engine's default (5 s unless WithGrace says otherwise).
	Grace time.Duration
	// StopSignal asks the process to end. 0 is SIGTERM.
	StopSignal syscall.Signal
	// LeaveDescendants lets what the process spawned outlive it when its leader
	// ends and when it is released. Kill, Shutdown and the end of the engine
	// end the whole tree all the same. What a descendant writes after the
	// leader's output has been drained is read and dropped.
	LeaveDescendants bool
	// Restart says when the process is started again after it ended. The zero
	// value is never.
	Restart supervisor.Policy
	// Ready says how to tell that the process is ready. nil means that it is
	// ready as soon as it runs.
	Ready *Probe
}

// Clone is a copy that shares nothing with s.
func (s Spec) Clone() Spec {
	s.Args = slices.Clone(s.Args)
	s.Env = maps.Clone(s.Env)
	s.Labels = maps.Clone(s.Labels)
	if s.PTY != nil {
		size := *s.PTY
		s.PTY = &size
	}
	if s.Ready != nil {
		probe := *s.Ready
		probe.Exec = slices.Clone(probe.Exec)
		s.Ready = &probe
	}
	return s
}

// Shell is a Spec that runs line with /bin/sh.
func Shell(line string) Spec {
	return Spec{Command: "/bin/sh", Args: []string{"-c", line}}
}

// Size is the size of a terminal, in character cells.
type Size struct{ Rows, Cols uint16 }

// Probe tells when a process is ready: when all of the conditions that are set
// (not their zero value) have held once. At least one must be set.
type Probe struct {
	// Pattern is a regular expression (RE2 syntax) that a line of the output,
	// of either stream, must match. A carriage return begins a line anew; one whose end
	// has not come counts too. Of a line only the first 64 KiB are looked at.
	Pattern string
	// TCP is a host:port that must accept a connection.
	TCP string
	// HTTP is a URL, http:// or https:// and a host, that must answer a GET with a
	// 2xx or 3xx status.
	HTTP string
	// Exec is a command and its arguments that must exit 0. It runs with the
	// process's directory and environment. What it leaves behind is killed before
	// the next attempt, and it is killed when the process is stopped. An attempt
	// that prints more than 1 MiB is killed, too, and has failed.
	Exec []string
	// Interval is the time between attempts. 0 is 100 ms. An attempt over TCP or
	// HTTP that has not been answered within 5 s has failed; one of Exec may take
	// as long as Timeout leaves it.
	Interval time.Duration
	// Timeout is the time within which the process must become ready, counted
	// from its start; otherwise the incarnation is ended as a failure with
	// CauseNotReady. 0 is 60 s.
	Timeout time.Duration
}

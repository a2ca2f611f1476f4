package messages

import (
	"maps"
	"slices"
	"syscall"
	"time"

	"github.com/procession-go/procession/supervisor"
)

// Unlimited, as an OutputLimit, retains all output. The log then grows with
// everything that the process prints.
const Unlimited int64 = -1

// Spec says what to run and how. Only Command is required; the zero value of
// every other field is its default.
type Spec struct {
	// Name is for people: in tables, prefixes and logs. It may be "", and it need
	// not be unique.
	Name string
	// Command is the program: a path, or a name looked up on the engine's own
	// PATH as os/exec does. A relative path is relative to Dir.
	Command string
	// Args are the program's arguments, without the program itself.
	Args []string
	// Dir is the working directory. "" is the engine's own. If Dir is missing, is
	// not a directory or may not be entered, the error of the start names it.
	Dir string
	// Env is added to the engine's environment, and overrides it.
	Env map[string]string
	// ClearEnv starts from an empty environment instead of the engine's. The
	// process then sees only Env and the engine's variables, PROCESSION_ENGINE and
	// PROCESSION_ID.
	ClearEnv bool
	// Labels are for selecting processes, such as {"agent": "a1"}.
	Labels map[string]string
	// OutputLimit is how many bytes of output are retained, stdout and stderr
	// together. 0 is the engine's default (1 MiB unless WithOutputLimit says
	// otherwise), Unlimited (-1) retains everything.
	OutputLimit int64
	// Overflow says what happens to output beyond OutputLimit. The zero value drops
	// the oldest output.
	Overflow Overflow
	// Stdin keeps a pipe open for Write. Otherwise stdin is the null device.
	Stdin bool
	// PTY runs the process on a pseudo-terminal of this size; nil means no
	// terminal. On a terminal, all output is one stream, Stdout; Write works
	// without Stdin; and TERM is xterm-256color unless Env sets it, also with
	// ClearEnv.
	PTY *Size
	// Timeout is how long an incarnation may run. When it is over, the incarnation
	// is ended as by Kill, and its exit has CauseTimeout. 0 means no timeout.
	Timeout time.Duration
	// Grace is the time between StopSignal and SIGKILL when the process is stopped.
	// It is also the longest time that the engine reads on after the leader has
	// exited by itself, if another process holds the output open; then it stops
	// that process too. 0 is the engine's default (5 s unless WithGrace says
	// otherwise).
	Grace time.Duration
	// StopSignal asks the process to end. 0 is SIGTERM.
	StopSignal syscall.Signal
	// LeaveDescendants lets what the process spawned live on when its leader ends
	// and when it is released. Kill, Shutdown and the end of the engine still end
	// the whole tree. What a descendant writes after the leader's output has been
	// drained is read and dropped.
	LeaveDescendants bool
	// Restart says when the process is started again after it ended. The zero value
	// never starts it again.
	Restart supervisor.Policy
	// Ready says how to tell that the process is ready. nil means that it is
	// ready as soon as it runs.
	Ready *Probe
}

// Clone returns a copy that shares nothing with s.
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

// Shell returns a Spec that runs line with /bin/sh.
func Shell(line string) Spec {
	return Spec{Command: "/bin/sh", Args: []string{"-c", line}}
}

// Size is the size of a terminal, in character cells.
type Size struct{ Rows, Cols uint16 }

// Probe says when a process is ready: once each condition that is set has held
// once. The conditions are Pattern, TCP, HTTP and Exec; one with its zero value is
// not set. At least one must be set.
type Probe struct {
	// Pattern is a regular expression (RE2 syntax) that a line of the output, in either
	// stream, must match. A line without its end counts too, and a carriage return
	// begins the line anew. Only the first 64 KiB of a line are looked at.
	Pattern string
	// TCP is a host:port that must accept a connection.
	TCP string
	// HTTP is a URL that must answer a GET with a 2xx or 3xx status. It begins with
	// http:// or https://, and has a host.
	HTTP string
	// Exec is a command and its arguments that must exit with 0. It runs with the
	// process's directory and environment. What an attempt leaves behind is killed
	// before the next one. An attempt that prints more than 1 MiB is killed and has
	// failed. When the process is stopped, a running attempt is killed.
	Exec []string
	// Interval is the time between attempts. 0 is 100 ms. An attempt over TCP or
	// HTTP fails if it is not answered within 5 s. An attempt of Exec may take all
	// the time that Timeout leaves.
	Interval time.Duration
	// Timeout is how long the process may take to become ready, from its start on.
	// When it is over, the incarnation is ended with CauseNotReady, which is a
	// failure. 0 is 60 s.
	Timeout time.Duration
}

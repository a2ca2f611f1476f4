package messages

// GetCapabilities asks the pool what its engine can do on this machine. Answered with
// Capabilities.
type GetCapabilities struct{}

// Capabilities answers GetCapabilities: what an engine can do on this machine at
// present. docs/operations.md says what each field means.
type Capabilities struct {
	// Containment says how the engine finds descendants that have left the process
	// group: ContainmentMarks, or ContainmentGroup if it does not find them.
	Containment string
	// Controllers are the resource controllers by which processes can be limited.
	// There are none at present.
	Controllers []string
	// Start says how programs are started: StartScript or StartPlain.
	Start string
	// Guarded reports whether there is a guardian (WithGuardian), which ends
	// everything if the engine dies. It is false while a new guardian starts because
	// something has ended the last one.
	Guarded bool
	// Reason tells people why a capability is missing. It is "" if none is missing
	// that this system could have.
	Reason string
}

// The ways of containment.
const (
	// ContainmentMarks: everything that a process starts inherits the mark, which it
	// cannot lose, and the variables, and is found by them. If the mark is not
	// available, Reason says so, and there are the variables only.
	ContainmentMarks = "marks"
	// ContainmentGroup: only the process group is found.
	ContainmentGroup = "group"
)

// The ways to start a program.
const (
	// StartScript: by the engine's own fork. A program whose execve(2) does not
	// return holds up nothing else.
	StartScript = "script"
	// StartPlain: by syscall.StartProcess.
	StartPlain = "plain"
)

package messages

// GetCapabilities asks the pool what its engine can do on this machine. Answered with
// Capabilities.
type GetCapabilities struct{}

// Capabilities answers GetCapabilities: what an engine can do on this machine, at
// present. docs/operations.md says what each of it means.
type Capabilities struct {
	// Containment is how descendants are found that left their process's group:
	// ContainmentMarks, or ContainmentGroup if they are not.
	Containment string
	// Controllers are the resource controllers by which processes can be limited;
	// none at present.
	Controllers []string
	// Start is how programs are started: StartScript or StartPlain.
	Start string
	// Guarded reports whether a guardian is there that ends everything if the engine
	// dies (WithGuardian). It is false for a moment when another is started because
	// somebody has ended it.
	Guarded bool
	// Reason is why something is missing, for people; "" if nothing is that could be
	// had here.
	Reason string
}

// The ways of containment.
const (
	// ContainmentMarks: everything that a process starts carries marks, and is found
	// by them. One of them cannot be lost; where it is not to be had, Reason says so.
	ContainmentMarks = "marks"
	// ContainmentGroup: only the process group is found.
	ContainmentGroup = "group"
)

// The ways to start a program.
const (
	// StartScript: by a fork of the engine's own. A program whose execve(2) does not
	// return holds up nothing else.
	StartScript = "script"
	// StartPlain: by syscall.StartProcess.
	StartPlain = "plain"
)

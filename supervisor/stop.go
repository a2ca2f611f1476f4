package supervisor

import "github.com/procession-go/procession/internal/ending"

// Stop is how a process that must end is ended: Signal, and at Deadline SIGKILL.
// A shutdown gives all its processes the same Deadline.
type Stop = ending.Stop

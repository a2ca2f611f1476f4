package supervisor

import "github.com/procession-go/procession/internal/ending"

// Stop says how a process is ended: by Signal at once, and by SIGKILL at Deadline.
// A shutdown gives all processes the same Deadline.
type Stop = ending.Stop

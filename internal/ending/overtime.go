package ending

import "time"

// Overtime is how much longer a timer is to wait, at a time when it goes off, that was due
// earlier: it comes late because this program was stopped, or had no CPU time. What was
// stopped with it, and what was to be seen meanwhile, gets a moment. 0 is that it comes as it
// should.
func Overtime(due, now time.Time) time.Duration {
	if late := now.Sub(due); late > punctual {
		return min(late, maxOvertime)
	}
	return 0
}

const (
	// punctual is how late a timer is on a busy machine.
	punctual = 50 * time.Millisecond

	// maxOvertime is long enough for what is to be done right after a pause, and short for
	// who waits.
	maxOvertime = 250 * time.Millisecond
)

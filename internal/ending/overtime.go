package ending

import "time"

// Overtime returns how much longer a timer must wait that was due at one time and fires at a
// later one, because this program was stopped or had no CPU time. In that time, what was
// stopped together with the program can go on, and what has happened meanwhile can be seen. 0
// means that the timer fires in time.
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

package supervisor

import (
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The defaults of a Policy: what zero stands for.
const (
	DefaultMaxRestarts = 5
	DefaultWindow      = time.Minute
	DefaultMinBackoff  = 100 * time.Millisecond
	DefaultMaxBackoff  = 10 * time.Second
)

// WithDefaults returns p with the default in place of each zero that stands for
// one.
func (p Policy) WithDefaults() Policy {
	if p.MaxRestarts == 0 {
		p.MaxRestarts = DefaultMaxRestarts
	}
	if p.Window == 0 {
		p.Window = DefaultWindow
	}
	if p.MinBackoff == 0 {
		p.MinBackoff = DefaultMinBackoff
	}
	if p.MaxBackoff == 0 {
		p.MaxBackoff = max(DefaultMaxBackoff, p.MinBackoff)
	}
	return p
}

// Ended is what a Policy needs to know about the end of an incarnation.
type Ended struct {
	// At is when it ended, Ran how long it ran.
	At  time.Time
	Ran time.Duration
	// Success: the program returned 0.
	Success bool
	// Asked: a caller stopped it.
	Asked bool
	// Unready: it has a probe and never became ready. Such an incarnation is not
	// healthy, however long it ran, and its time does not count for Window.
	Unready bool
}

// History is what a Policy remembers from one end to the next. The zero value is
// for a process that has not ended yet.
type History struct {
	// Restarts are the times at which it was started again, within Policy.Window.
	// They are moved later by the time that incarnations since then ran and never
	// became ready.
	Restarts []time.Time
	// Streak is how many restarts there were since the last healthy incarnation.
	Streak int
}

// Decision says what happens after the end of an incarnation.
type Decision struct {
	// Restart: start it again. Otherwise the exit is final.
	Restart bool
	// GaveUp: it is not started again because it was restarted too often.
	GaveUp bool
	// MaxDelay is the longest that the restart waits; see Jitter.
	MaxDelay time.Duration
	// History is for the next Decide.
	History History
}

// Decide says what happens after the end of an incarnation. It depends on its
// arguments alone.
func (p Policy) Decide(h History, e Ended) Decision {
	p = p.WithDefaults()
	if e.Asked || p.When == Never || (p.When == OnFailure && e.Success) {
		return Decision{History: h}
	}
	recent := History{Streak: h.Streak}
	for _, at := range h.Restarts {
		if e.Unready {
			at = at.Add(e.Ran)
		}
		if e.At.Sub(at) < p.Window {
			recent.Restarts = append(recent.Restarts, at)
		}
	}
	if e.Ran >= p.MaxBackoff && !e.Unready {
		recent.Streak = 0
	}
	if p.MaxRestarts >= 0 && len(recent.Restarts) >= p.MaxRestarts {
		return Decision{GaveUp: true, History: recent}
	}
	delay := p.MinBackoff
	for i := 0; i < recent.Streak && delay < p.MaxBackoff; i++ {
		delay += min(delay, p.MaxBackoff-delay) // doubled, without an overflow
	}
	if p.MaxRestarts >= 0 { // an unlimited policy need not remember
		recent.Restarts = append(recent.Restarts, e.At)
	}
	recent.Streak++
	return Decision{Restart: true, MaxDelay: min(delay, p.MaxBackoff), History: recent}
}

// Jitter draws a delay between 0 and limit from a uniform distribution (full
// jitter).
func Jitter(limit time.Duration) time.Duration {
	b := backoff.ExponentialBackOff{InitialInterval: limit / 2, MaxInterval: limit / 2, RandomizationFactor: 1, Multiplier: 1}
	b.Reset()
	return min(b.NextBackOff(), limit)
}

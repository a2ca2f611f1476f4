package supervisor

import (
	"fmt"
	"time"
)

// When says after which exits a process is started again.
type When uint8

const (
	// Never: it is not started again.
	Never When = iota
	// OnFailure: it is started again unless it ended by itself with exit code 0.
	OnFailure
	// Always: it is started again, however it ended.
	Always
)

var whens = []string{"never", "on-failure", "always"}

// String returns "never", "on-failure" or "always".
func (w When) String() string {
	if int(w) < len(whens) {
		return whens[w]
	}
	return fmt.Sprintf("unknown(%d)", w)
}

// MarshalText encodes it as String does.
func (w When) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText is the inverse of MarshalText.
func (w *When) UnmarshalText(text []byte) error {
	for i, name := range whens {
		if name == string(text) {
			*w = When(i)
			return nil
		}
	}
	return fmt.Errorf("unknown restart condition %q (never, on-failure, always)", text)
}

// Policy says when a process is started again, how soon, and when to give up. The
// zero value never starts it again. A process that a caller stopped is not started
// again.
type Policy struct {
	// When says after which exits it is started again.
	When When
	// MaxRestarts is the most restarts within Window (the intensity of an OTP
	// supervisor). When one more would be due, the exit is final instead. 0 is 5,
	// and a negative number means no limit.
	MaxRestarts int
	// Window is the period for MaxRestarts. 0 is 1 minute. The time of an
	// incarnation that has a probe and never became ready does not count.
	Window time.Duration
	// The delay before a restart is drawn from a uniform distribution between 0 and
	// a limit (full jitter), so that processes which failed together do not return
	// together. MinBackoff is the limit for the first restart. The limit doubles
	// with each restart, up to MaxBackoff. After a healthy incarnation it begins
	// with MinBackoff again. An incarnation is healthy if it ran for MaxBackoff or
	// longer; if it has a probe, it must also have become ready. 0 is 100 ms for
	// MinBackoff and 10 s for MaxBackoff.
	//
	// The delay begins when the output is complete; if another process holds the
	// output open, the drain adds to it. The restart also waits until what the
	// incarnation left behind has been ended.
	MinBackoff, MaxBackoff time.Duration
}

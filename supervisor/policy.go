package supervisor

import (
	"fmt"
	"time"
)

// When says after which exits a process is started again.
type When uint8

const (
	// Never starts it once.
	Never When = iota
	// OnFailure starts it again unless it returned 0.
	OnFailure
	// Always starts it again whatever it returned.
	Always
)

var whens = []string{"never", "on-failure", "always"}

// String is "never", "on-failure" or "always".
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

// Policy says when a process is started again, how soon, and when to give up.
// The zero value never starts it again. A stop that a caller asked for is never
// followed by a restart.
type Policy struct {
	// When is after which exits to start it again.
	When When
	// MaxRestarts is the most restarts within Window, as the intensity of an
	// OTP supervisor; one more, and the exit is final. 0 is 5, negative is no
	// limit.
	MaxRestarts int
	// Window is the period for MaxRestarts. 0 is 1 minute. The time that an
	// incarnation with a probe took and never became ready does not count.
	Window time.Duration
	// MinBackoff is the most that the first restart waits, doubling with each
	// that follows, up to MaxBackoff. The wait is drawn evenly between 0 and
	// that (full jitter), so that what failed together does not return
	// together. An incarnation that ran for MaxBackoff or longer was healthy,
	// and the next restart counts as the first; but not one with a probe that
	// never became ready. 0 is 100 ms and 10 s. The wait begins when the output is
	// complete, so that a held pipe adds the drain, and ends no sooner than when
	// what the incarnation left behind has been ended.
	MinBackoff, MaxBackoff time.Duration
}

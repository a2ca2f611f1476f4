//go:build unix

package interrupt

import (
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestWhatASignalAsksFor(t *testing.T) {
	const (
		INT, TERM, QUIT, HUP = syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGHUP
		ms                   = time.Millisecond
	)
	type came struct {
		sig  os.Signal
		at   time.Duration // since the first
		asks request
	}
	for name, test := range map[string][]came{
		"again":                  {{TERM, 0, toStop}, {TERM, 300 * ms, toKill}},
		"too soon":               {{TERM, 0, toStop}, {TERM, 299 * ms, nothing}},
		"too soon, and again":    {{INT, 0, toStop}, {INT, 10 * ms, nothing}, {INT, 310 * ms, toKill}},
		"another one":            {{INT, 0, toStop}, {TERM, 400 * ms, toKill}},
		"another one, too soon":  {{INT, 0, toStop}, {QUIT, 100 * ms, nothing}, {TERM, 299 * ms, nothing}},
		"SendSIGHUP":             {{TERM, 0, toStop}, {HUP, 0, nothing}},
		"a window is closed":     {{HUP, 0, toStop}, {HUP, 1 * ms, nothing}, {HUP, 500 * ms, nothing}},
		"a hang-up at last":      {{TERM, 0, toStop}, {HUP, time.Hour, nothing}},
		"a hang-up first":        {{HUP, 0, toStop}, {TERM, 400 * ms, nothing}, {TERM, 699 * ms, nothing}, {QUIT, 700 * ms, toKill}},
		"a hang-up in between":   {{QUIT, 0, toStop}, {HUP, 200 * ms, nothing}, {QUIT, 300 * ms, toKill}},
		"nothing more to ask":    {{INT, 0, toStop}, {INT, 300 * ms, toKill}, {INT, 600 * ms, nothing}, {HUP, 700 * ms, nothing}},
		"long after the hang-up": {{HUP, 0, toStop}, {HUP, time.Hour, nothing}, {INT, 2 * time.Hour, nothing}, {INT, 3 * time.Hour, toKill}},
	} {
		t.Run(name, func(t *testing.T) {
			var asked requests
			begin := time.Now()
			for i, c := range test {
				assert.Equal(t, c.asks, asked.came(c.sig, begin.Add(c.at)), "signal %d, %v", i, c.sig)
			}
		})
	}
}

// What a signal asks for is told by those before it alone.
func TestWhatAnySignalsAskFor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var asked requests
		begin := time.Now()
		var kinds []time.Time // when those that are no hang-up came
		at, killed := begin, false
		for i := range rapid.IntRange(1, 20).Draw(t, "signals") {
			at = at.Add(rapid.SampledFrom([]time.Duration{0, 1, AgainAfter / 3, AgainAfter - 1, AgainAfter}).Draw(t, "pause"))
			sig := rapid.SampledFrom(endSignals).Draw(t, "signal")
			want := nothing
			if i == 0 {
				want = toStop
			}
			if sig != os.Signal(hangUp) {
				if kinds = append(kinds, at); !killed && at.Sub(kinds[0]) >= AgainAfter {
					want, killed = toKill, true
				}
			}
			require.Equal(t, want, asked.came(sig, at), "signal %d, %v", i, sig)
		}
	})
}

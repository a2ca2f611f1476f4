// Package interrupt decides what the signals ask for that this program gets: to stop what it
// runs, or to kill it.
package interrupt

import (
	"os"
	"os/signal"
	"slices"
	"time"
)

// Signals are the signals that ask this program to end. A signal that it was started to
// ignore is not among them: a hang-up after nohup(1), or an interrupt when a shell runs it
// in the background. Call it before an engine is made. An engine ignores no signal, so that
// its processes do not inherit that.
func Signals() []os.Signal {
	signals := without(endSignals, signal.Ignored)
	if !slices.Contains(signals, os.Signal(quit)) {
		signal.Ignore(quit) // the runtime would end this program
	}
	return signals
}

// without is signals but for those that are ignored. The Go runtime leaves only a hang-up
// and an interrupt ignored (package os/signal), so that it cannot be known of the others;
// but shells ignore SIGQUIT wherever they ignore SIGINT (POSIX, XCU 2.9.3.1).
func without(signals []os.Signal, ignored func(os.Signal) bool) []os.Signal {
	return slices.DeleteFunc(slices.Clone(signals), func(sig os.Signal) bool {
		return ignored(sig) || sig == quit && ignored(os.Interrupt)
	})
}

// request is what a signal asks for.
type request int

const (
	nothing request = iota
	toStop
	toKill
)

// AgainAfter is how long after the first signal another one counts as a second request.
// One that comes sooner belongs to the first: timeout(1) sends its signal to the process
// and to the group, and the keys of a terminal bounce.
const AgainAfter = 300 * time.Millisecond

// requests makes of the signals that come what they ask for. The first asks to
// stop. What was meant again asks to kill, which a hang-up never is: it comes beside
// another signal (SendSIGHUP of systemd), or because a window is closed.
type requests struct {
	begun, over bool
	first       time.Time // of those that are no hang-up; zero before it
}

// came answers what a signal that was received at a time asks for.
func (r *requests) came(sig os.Signal, at time.Time) request {
	begins := !r.begun
	r.begun = true
	switch {
	case r.over:
		return nothing
	case sig == hangUp:
	case r.first.IsZero():
		r.first = at
	case at.Sub(r.first) >= AgainAfter:
		r.over = true
		return toKill
	}
	if begins {
		return toStop
	}
	return nothing
}

// Handle calls stop with the first of the signals that comes, and kill when another comes
// that counts as a second request (AgainAfter). Neither may block. It does so until the
// program exits, so that a signal that comes late does not end it in another way.
func Handle(signals []os.Signal, stop func(os.Signal), kill func()) {
	var asked requests
	Each(16, func(sig os.Signal) {
		switch asked.came(sig, time.Now()) {
		case toStop:
			stop(sig)
		case toKill:
			kill()
		}
	}, signals...)
}

// Each calls do for each of the signals that comes, one at a time, until stop is called. Of
// the signals that come while do runs it keeps as many as kept says.
func Each(kept int, do func(os.Signal), signals ...os.Signal) (stop func()) {
	if len(signals) == 0 {
		return func() {} // none is not all
	}
	came := make(chan os.Signal, kept)
	signal.Notify(came, signals...)
	done := make(chan struct{})
	go func() {
		for {
			select {
			case sig := <-came:
				do(sig)
			case <-done:
				return
			}
		}
	}()
	return func() {
		signal.Stop(came)
		close(done)
	}
}

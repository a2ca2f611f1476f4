package main

import (
	"os"
	"os/signal"
	"slices"
)

// signalsToEnd are those that ask this program to end. One that was started to
// ignore a hang-up, as by nohup(1), does; to be asked before there is an engine,
// because that ignores nothing, so that its processes do not inherit it.
func signalsToEnd() []os.Signal {
	return slices.DeleteFunc(slices.Clone(endSignals), func(sig os.Signal) bool {
		return sig == hangUp && signal.Ignored(sig)
	})
}

// onInterrupt calls first when one of the signals comes, and second when another
// one does; neither may block.
func onInterrupt(signals []os.Signal, first, second func()) (ignore func()) {
	came := make(chan os.Signal, 2)
	signal.Notify(came, signals...)
	done := make(chan struct{})
	go func() {
		for _, act := range []func(){first, second} {
			select {
			case <-came:
				act()
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

package main

import (
	"os"
	"syscall"
)

// What depends on the operating system, where there are no signals.

// endSignals ask this program to end.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

const hangUp = syscall.SIGHUP

func swallowBrokenPipes() {}

func signalNumber(string) int { return int(syscall.SIGKILL) }

package main

import (
	"os"
	"syscall"
)

// What depends on the operating system, where there are no signals.

// endSignals ask this program to end.
var endSignals = []os.Signal{os.Interrupt, syscall.SIGTERM}

// passedOn are signals that are for what it runs: there are none.
var passedOn []os.Signal

const (
	hangUp       = syscall.SIGHUP
	quit         = syscall.SIGQUIT
	windowChange = syscall.Signal(-1)
)

func swallowBrokenPipes() {}

func lockDir(string) (unlock func()) { return func() {} }

func signalNumber(string) int { return int(syscall.SIGKILL) }

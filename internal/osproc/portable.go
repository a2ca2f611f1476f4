//go:build !linux

package osproc

import (
	"os/exec"
	"syscall"
	"time"
)

// leader is reaped as soon as it exits: there is no portable way to wait without
// reaping.
type leader struct{ pid int }

func (*leader) wait(cmd *exec.Cmd) Status { return waitBlocking(cmd) }

func (*leader) reap() {}

// forker needs no thread of its own where there is no parent-death signal.
type forker struct{}

func newForker() *forker { return &forker{} }

func (*forker) start(cmd *exec.Cmd, l *leader) error {
	if err := cmd.Start(); err != nil {
		return err
	}
	l.pid = cmd.Process.Pid
	return nil
}

func (*forker) close() {}

// birth bounds the search for descendants only on Linux.
type birth struct{}

// waitBlocking waits in a thread of its own, and reaps.
func waitBlocking(cmd *exec.Cmd) Status {
	cmd.Wait()
	status := Status{Time: time.Now(), Code: -1}
	if cmd.ProcessState != nil {
		status.Code = cmd.ProcessState.ExitCode()
		status.UserTime, status.SystemTime = cmd.ProcessState.UserTime(), cmd.ProcessState.SystemTime()
		if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			status.Signal = signalName(ws.Signal())
		}
	}
	return status
}

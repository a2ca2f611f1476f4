//go:build !linux

package osproc

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// What Linux does better, done in the portable way.

// poller is not needed where streams and leaders have goroutines of their own.
type poller struct{}

func newPoller() (*poller, error) { return &poller{}, nil }

func (*poller) close() {}

// forker needs no thread of its own where there is no parent-death signal.
type forker struct{}

func newForker() *forker { return &forker{} }

func (*forker) submit(start func(*descriptors)) { go start(nil) }

func (*forker) close() {}

func prepare(*exec.Cmd) {}

// descriptors is the descriptor table, which all threads share.
type descriptors struct{}

func (*descriptors) start(cmd *exec.Cmd, files [3]*os.File) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = files[0], files[1], files[2]
	return cmd.Start()
}

func openStdin() (theirs, ours *os.File, err error) { return os.Pipe() }

// leader is reaped as soon as it exits: there is no portable way to wait without
// reaping. The wait blocks a thread.
type leader struct{ cmd *exec.Cmd }

func (l *leader) started(cmd *exec.Cmd) { l.cmd = cmd }

func (l *leader) attach(p *Process) {
	go func() {
		l.cmd.Wait()
		p.leaderExited(statusOf(l.cmd.ProcessState))
	}()
}

func (*leader) reap() {}

func statusOf(state *os.ProcessState) Status {
	status := Status{Time: time.Now(), Code: -1}
	if state != nil {
		status.Code = state.ExitCode()
		status.UserTime, status.SystemTime = state.UserTime(), state.SystemTime()
		if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
			status.Signal = signalName(ws.Signal())
		}
	}
	return status
}

// birth bounds the search for descendants only on Linux.
type birth struct{}

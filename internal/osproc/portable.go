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

// launch is a leader that is to be started.
type launch struct {
	cmd   *exec.Cmd                // what to execute, without its files
	files [3]*os.File              // its standard input, output and error
	done  func(pid int, err error) // called in a goroutine of its own
}

func newForker(*os.File) *forker { return &forker{} }

func (*forker) submit(l *launch) {
	go func() {
		l.cmd.Stdin, l.cmd.Stdout, l.cmd.Stderr = l.files[0], l.files[1], l.files[2]
		if err := l.cmd.Start(); err != nil {
			l.done(0, err)
			return
		}
		l.done(l.cmd.Process.Pid, nil)
	}()
}

func (*forker) close() {}

func openStdin() (theirs, ours *os.File, err error) { return os.Pipe() }

// leader is reaped as soon as it exits: there is no portable way to wait without
// reaping. The wait blocks a thread.
type leader struct{}

func (l *leader) attach(p *Process) {
	go func() {
		process, err := os.FindProcess(p.PID)
		if err != nil {
			p.leaderExited(statusOf(nil))
			return
		}
		state, _ := process.Wait()
		p.leaderExited(statusOf(state))
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

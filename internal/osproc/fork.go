package osproc

import (
	"os/exec"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/spawn"
)

// How a leader comes to life. Its birth, from the fork until its program is executed,
// is waited for where it was asked for: that takes a fraction of a millisecond, and
// less than to tell somebody else. One that takes longer may take for ever, because
// execve(2) waits for a file server that is dead: a goroutine waits for that.

// patience is how long a birth is waited for by who has asked for it.
const patience = 2 * time.Millisecond

// bear starts the leader.
func (p *Process) bear(c *Command, cmd *exec.Cmd) {
	b := p.host.forker.Prepare(&spawn.Program{Cmd: cmd, Files: descriptors(p.theirs), Limits: p.host.limits(p)})
	p.mu.Lock()
	p.unborn = b
	p.mu.Unlock()
	p.host.bearing(p, b)
	b.Start()
	if b.Wait(patience) {
		p.born(c, b)
		return
	}
	go func() {
		b.Wait(-1)
		p.born(c, b)
	}()
}

func descriptors(ends [3]end) (fds [3]int) {
	for i, e := range ends {
		fds[i] = e.fd()
	}
	return fds
}

// born tells what has become of the birth.
func (p *Process) born(c *Command, b *spawn.Birth) {
	p.mu.Lock()
	p.unborn = nil // its number may be free from now on
	p.mu.Unlock()
	pid, err := b.Result()
	if err != nil {
		p.startFailed(c.explain(err))
		return
	}
	p.started(pid)
}

// StopUnborn sends sig, which is to end it, to a leader whose program has not been
// executed yet. It reports whether that is so.
func (p *Process) StopUnborn(sig syscall.Signal) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forked {
		return false
	}
	p.signalUnborn(sig)
	return true
}

// signalUnborn sends sig as soon as there is somebody to send it to. p.mu is locked.
func (p *Process) signalUnborn(sig syscall.Signal) {
	if p.unborn == nil || p.leaderSignal == sig { // its birth is over, and told soon; or it has had it
		return
	}
	if pid := p.unborn.PID(); pid != 0 {
		p.leaderSignal = sig
		if dumpsCore(sig) {
			sig = syscall.SIGKILL // what it would dump is this program's memory
		}
		signalProcess(pid, sig)
		return
	}
	time.AfterFunc(patience, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.signalUnborn(sig)
	})
}

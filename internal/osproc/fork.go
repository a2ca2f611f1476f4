package osproc

import (
	"os/exec"
	"syscall"
	"time"

	"github.com/procession-go/procession/internal/ending"
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

// stopUnborn is stop for a leader whose program has not been executed yet. It reports
// whether that is so.
func (p *Process) stopUnborn(stop ending.Stop) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.forked {
		return false
	}
	if p.course == nil {
		p.course = &ending.Course{}
	}
	now := time.Now()
	p.sendUnborn(p.course.Ask(stop, now))
	if left := p.course.Left(now); left > 0 {
		time.AfterFunc(left, func() {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.sendUnborn(p.course.Pass(time.Now()))
		})
	}
	return true
}

// sendUnborn sends sig, unless it is 0, to a leader that has not been born yet, as soon
// as there is somebody to send it to. p.mu is locked.
func (p *Process) sendUnborn(sig syscall.Signal) {
	if sig == 0 || p.forked || p.unborn == nil || p.unborn.Wait(0) { // what is born is told soon, and ended then
		return
	}
	if sig == syscall.SIGKILL {
		p.notify(&Killed{event{p}})
	}
	p.signalUnborn(sig)
}

func (p *Process) signalUnborn(sig syscall.Signal) {
	if p.forked || p.unborn == nil { // its birth is over, and told soon
		return
	}
	if pid := p.unborn.PID(); pid != 0 {
		p.hadUnborn = true
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

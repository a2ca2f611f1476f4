package actors

import (
	"time"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// What becomes of a process when its actor fails, or is stopped.

// crash is the last act of an incarnation of this actor that has panicked: its
// process tree ends with it.
func (p *process) crash() {
	p.failures = append(p.failures[max(0, len(p.failures)-supervisor.MaxActorRestarts):], time.Now())
	if p.run != nil {
		p.run.probe.stop()
		p.run.launch.Stop(ending.Now)
	}
}

// recoverFromCrash is the first act of the next incarnation of this actor. What
// the panic may have interrupted is done again, which harms nowhere.
func (p *process) recoverFromCrash() {
	r := p.run
	if r == nil {
		if p.state == backingOff {
			stopTimer(p.backoff)
			p.armBackoff()
		}
		return
	}
	if r.status == nil {
		r.cause = messages.CauseCrashed
	}
	r.stop, r.leaderOnly = new(ending.Now), false
	switch p.state {
	case starting: // it is ended as soon as it has been started
		if r.launch.Forked() {
			p.started()
		}
		return
	case clearing:
		p.armStop(*r.stop)
		p.endTree()
	default:
		p.signalStop()
	}
	p.outputReady()
	p.advance()
}

// abandon is the last act of this actor when it is stopped. Nobody will look
// after the process any more, so that this is the last resort.
func (p *process) abandon() {
	stopTimer(p.backoff)
	if p.run != nil {
		stopTimer(p.run.timeout)
		p.run.probe.stop()
		p.run.launch.Abandon()
	}
	if p.killing && !p.config.Host.HasLeft(p.id) {
		p.leftAliveGone() // which is told by a message that comes too late
	}
	p.refuseAll(messages.CodeClosed, "its engine has stopped")
}

package actors

import (
	"time"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// What happens to a process when its actor fails or is stopped.

// crash is the last thing that an actor does after a panic, before its next
// incarnation takes over: it ends the process tree.
func (p *process) crash() {
	p.failures = append(p.failures[max(0, len(p.failures)-supervisor.MaxActorRestarts):], time.Now())
	if p.run != nil {
		p.run.probe.stop()
		p.run.launch.Stop(ending.Now)
	}
}

// recoverFromCrash is the first thing that the next incarnation of this actor does.
// It repeats what the panic may have interrupted; doing it twice does no harm.
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

// abandon is the last thing that this actor does when it is stopped. Nobody looks
// after the process from then on, so everything is ended at once.
func (p *process) abandon() {
	stopTimer(p.backoff)
	if p.run != nil {
		stopTimer(p.run.timeout)
		p.run.probe.stop()
		p.run.launch.Abandon()
	}
	if p.killing && !p.config.Host.HasLeft(p.id) {
		p.leftAliveGone() // the message that reports it would come too late
	}
	p.refuseAll(messages.CodeClosed, "its engine has stopped")
}

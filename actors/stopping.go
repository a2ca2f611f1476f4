package actors

import (
	"cmp"
	"log/slog"
	"math"
	"strconv"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// How a process is ended on request.

// kill ends the process, and answers once it and all that it spawned are dead.
func (p *process) kill(asker *actor.PID, o messages.KillOptions) {
	if o.Signal < 0 || o.Signal > 64 {
		p.answer(asker, p.refusal(messages.CodeInvalidRequest, "signal "+strconv.Itoa(int(o.Signal))+" is no signal"))
		return
	}
	if p.released && !p.killing { // the pool is about to forget it
		p.answer(asker, p.refusal(messages.CodeNotFound, "it was released"))
		return
	}
	p.killers.add(asker, struct{}{})
	stop := killStop(p.spec, o, time.Now())
	if p.state == exited {
		p.killLeftAlive(stop)
		return
	}
	if p.kills == nil {
		p.kills = &stop
	}
	*p.kills = p.kills.Sooner(stop)
	atOnce := o.Grace < 0 && p.run != nil && !p.run.atOnce
	if atOnce {
		p.run.atOnce = true
	}
	p.end(messages.CauseKilled, true, false, stop)
	if atOnce && p.state == draining {
		p.drain()
	}
}

// killStop returns the stop that a request to kill asks for.
func killStop(spec messages.Spec, o messages.KillOptions, now time.Time) supervisor.Stop {
	grace := min(cmp.Or(o.Grace, spec.Grace), math.MaxInt64/2) // so that adding it cannot overflow
	return supervisor.Stop{Signal: cmp.Or(o.Signal, spec.StopSignal), Deadline: now.Add(max(0, grace))}
}

// killLeftAlive ends the descendants that LeaveDescendants has left alive, and
// answers those who asked for that: at once if there are none, otherwise in
// leftAliveGone.
func (p *process) killLeftAlive(stop supervisor.Stop) {
	p.killing = p.config.Host.StopLeft(p.id, stop, func() { p.tell(&leftGone{}) })
	if !p.killing {
		p.leftAliveGone()
	}
}

// leftAliveGone handles that nothing is left of what killLeftAlive had to end.
func (p *process) leftAliveGone() {
	p.killing = false
	p.answerKillers()
	if p.owesSettled {
		p.tellSettled()
	}
}

func (p *process) answerKillers() { p.answerExit(&p.killers) }

// tellSettled tells the pool once nothing of the process is left that has to end.
func (p *process) tellSettled() {
	if p.owesSettled = p.killing; !p.owesSettled {
		p.pool.post(&processSettled{p.id, p.outcome, p.releasing})
	}
}

func (p *process) endProcess(m *endProcess) {
	p.releasing = p.releasing || m.release
	if p.state == exited { // it is being released, and only the pool still needs it
		p.released = true
		p.outcome = endedItself
		p.tellSettled()
		return
	}
	stop := p.stopIn(p.spec.Grace)
	if !m.deadline.IsZero() {
		stop.Deadline = m.deadline
	}
	if p.run != nil {
		p.run.forgotten = true
	}
	p.end(m.cause, true, m.release && p.spec.LeaveDescendants, stop)
}

func (p *process) timeoutElapsed(r *run) {
	if p.run == r && p.state == running {
		p.end(messages.CauseTimeout, false, false, p.stopIn(p.spec.Grace))
	}
}

func (p *process) stopIn(grace time.Duration) supervisor.Stop {
	return supervisor.Stop{Signal: p.spec.StopSignal, Deadline: time.Now().Add(grace)}
}

// end ends the process in any state. If a caller asked for it, the process is not
// started again.
func (p *process) end(cause messages.Cause, asked, leaderOnly bool, stop supervisor.Stop) {
	switch p.state {
	case backingOff:
		stopTimer(p.backoff)
		p.outcome = endedItself // long before
		p.finish(p.incarnations[len(p.incarnations)-1].Exit)
		p.settled()
		return
	case exited, unborn:
		return
	}
	r := p.run
	r.asked = r.asked || asked
	if p.state == clearing {
		if p.exit == nil && asked {
			p.finish(p.incarnations[len(p.incarnations)-1].Exit)
		}
		if r.stop != nil {
			p.armStop(r.stop.Sooner(stop))
		}
		return
	}
	if r.stop != nil { // it is ending already
		stop = r.stop.Sooner(stop)
		widened := r.leaderOnly && !leaderOnly
		r.leaderOnly = r.leaderOnly && leaderOnly
		if widened && r.status != nil { // its tree was to live on, and now must end
			r.stop, r.treeGone, r.leaves = &stop, false, false
			p.signalStop()
			return
		}
		p.armStop(stop)
		return
	}
	r.stop, r.leaderOnly = &stop, leaderOnly
	if r.status == nil {
		r.cause = cause
	}
	if p.state == starting {
		p.armStop(stop) // it need not have been executed yet
		return
	}
	p.publish(&messages.ProcessStopping{Engine: p.config.from(), ID: p.id, Cause: cause, Time: time.Now()})
	p.signalStop()
}

// signalStop sends the signal that is due, and waits for the end of the tree.
func (p *process) signalStop() {
	r := p.run
	stopTimer(r.timeout)
	r.probe.stop()
	p.state = stopping
	p.armStop(*r.stop)
	if r.status != nil {
		p.endTree()
	}
	p.advance()
}

// armStop ends the incarnation as stop says: the signal that is due now, and
// SIGKILL when the deadline has passed, which killed handles.
func (p *process) armStop(stop supervisor.Stop) {
	r := p.run
	r.stop = &stop
	if r.process != nil && r.status == nil && r.outcome == endedItself {
		r.outcome = terminated
	}
	if r.leaderOnly {
		r.launch.StopLeader(stop)
	} else {
		r.launch.Stop(stop)
	}
	p.giveUpIfDenied()
}

// killed handles that what was left of the incarnation gets SIGKILL.
func (p *process) killed(m *osproc.Killed) {
	r := p.run
	if r == nil || r.launch != m.Process() {
		return
	}
	r.outcome, r.overdue = killed, true
	p.giveUpIfDenied()
	if p.state == draining && r.stop != nil {
		p.drain()
	}
	p.advance()
}

// giveUpIfDenied refuses the requests for the end if it cannot be forced, because the
// leader belongs to another user now (setuid programs, sudo). The leader may still end
// by itself.
func (p *process) giveUpIfDenied() {
	if r := p.run; !r.overdue || r.process == nil || r.status != nil || r.process.Killable() {
		return
	}
	p.config.log(slog.LevelWarn, "cannot kill a process of another user", "id", p.id, "pid", p.run.process.PID)
	p.answerAll(&p.killers, p.refusal(messages.CodeDenied, "cannot kill: it runs as another user"))
	if p.run.forgotten { // the pool waits for nothing more
		p.pool.post(&processSettled{p.id, killed, p.releasing})
	}
}

// endTree ends what the leader, which has exited, left behind.
func (p *process) endTree() {
	r := p.run
	if r.leaderOnly {
		r.treeGone, r.leaves = true, true
		return
	}
	r.treeGone = r.process.EndTree(*r.stop) || r.treeGone
}

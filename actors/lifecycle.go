package actors

import (
	"errors"
	"io/fs"
	"os/exec"
	"syscall"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// The life of a process. Each event notes what it tells; advance then takes
// every transition that is due, and is the one place that knows them:
//
//	starting ── it runs ─────────────────────▶ running
//	running ─── its leader exited ───────────▶ draining
//	(any) ───── it is to end ────────────────▶ stopping
//	stopping ── leader exited, tree gone ────▶ draining
//	draining ── output complete ─────────────▶ clearing
//	clearing ── nothing left ────────────────▶ exited, or backingOff
//	backingOff ─ the delay is over ──────────▶ starting

// advance takes the transitions that are due.
func (p *process) advance() {
	for r := p.run; r != nil; r = p.run {
		switch {
		case p.state == running && r.status != nil:
			p.drain()
		case p.state == stopping && r.status != nil && r.treeGone:
			p.drain()
		case p.state == draining && r.outputEnded:
			p.conclude()
		case p.state == clearing && r.treeGone && r.writing == nil:
			p.settle()
		default:
			return
		}
	}
}

// begin starts the first incarnation; after a panic it goes on with the record.
func (p *process) begin(ctx actor.Context) {
	if p.state == unborn {
		p.self = ctx.Self() // which stays the same, and is read from other goroutines
		p.start()
		return
	}
	if now := time.Now(); supervisor.FailsTooOften(p.failures, now) {
		p.failed = true
		p.abandon()
		p.system.Root.Send(p.pool, &processFailed{p.id})
		return
	}
	p.recoverFromCrash()
}

// start begins an incarnation.
func (p *process) start() {
	p.state = starting
	p.run = &run{mark: p.log.End()}
	p.run.launch = p.config.Host.Start(p.command(), func(event osproc.Event) { p.tell(event) })
}

// started notes that what was launched runs; again is harmless.
func (p *process) started() {
	r := p.run
	if r == nil || r.process != nil {
		return
	}
	r.process, p.last = r.launch, r.launch
	r.process.Attach()
	p.state = running
	event := &messages.ProcessStarted{Engine: p.config.from(), ID: p.id, PID: p.last.PID, Incarnation: p.restarts, Mark: r.mark, Time: p.last.StartedAt}
	p.publish(event)
	if r.stop != nil && r.cause == messages.CauseShutdown {
		p.answerStarter(p.refusal(messages.CodeClosed, "the engine is shutting down"))
	} else {
		p.answerStarter(event)
	}
	if r.stop != nil {
		p.signalStop()
		return
	}
	if p.spec.Timeout > 0 {
		r.timeout = time.AfterFunc(p.spec.Timeout, func() { p.tell(&timeoutElapsed{r}) })
	}
	p.nextWrite()
	p.startProbe()
}

func (p *process) answerStarter(message any) {
	p.answer(p.starter, message)
	p.starter = nil
}

// startFailed ends the process: it is as if it had never been, or if it was to
// be started again, its incarnation has failed.
func (p *process) startFailed(err error) {
	refusal := p.startError(err)
	if p.restarts == 0 && len(p.incarnations) == 0 {
		p.system.Root.Send(p.pool, &startFailed{p.id, p.starter, refusal})
		p.starter = nil // the pool answers, once it has forgotten the process
		p.refuseAll(p.refusal(messages.CodeNotFound, "it could not be started"))
		return
	}
	now := time.Now()
	p.run.status = &osproc.Status{Code: -1, Time: now}
	p.run.outputEnded, p.run.treeGone = true, true
	p.run.cause, p.run.reason = messages.CauseStartFailed, refusal.Message
	p.state = draining
	p.advance()
}

func (p *process) startError(err error) *messages.Error {
	e := &messages.Error{Code: messages.CodeStart, ID: p.id, Message: "start " + quote(p.spec.Command) + ": " + reason(err)}
	errors.As(err, &e.Errno)
	if errors.Is(err, exec.ErrNotFound) {
		e.Code = messages.CodeNoCommand
	}
	return e
}

// reason is the innermost part of what os and os/exec say, which repeats the
// command otherwise.
func reason(err error) string {
	var pathErr *fs.PathError
	var execErr *exec.Error
	switch {
	case errors.As(err, &execErr):
		return execErr.Err.Error()
	case errors.As(err, &pathErr) && pathErr.Op == "fork/exec":
		return pathErr.Err.Error()
	}
	return err.Error()
}

func (p *process) outputEnded(m *osproc.OutputEnded) {
	if p.run == nil || p.run.process != m.Process() {
		return
	}
	p.outputReady()
	p.run.outputEnded = true
	p.advance()
}

func (p *process) leaderExited(m *osproc.LeaderExited) {
	r := p.run
	if r == nil || r.process != m.Process() {
		p.wrongState(m)
		return
	}
	r.status = &m.Status
	if p.state == stopping {
		p.endTree()
	}
	p.advance()
}

func (p *process) treeGone(m *osproc.TreeGone) {
	if p.run == nil { // a kill after the end, of what was left alive on purpose
		p.answerExit(p.killers)
		p.killers = nil
		return
	}
	if p.run.process == m.Process() {
		p.run.treeGone = true
		p.advance()
	}
}

// drain reads what is left of the output.
func (p *process) drain() {
	stopTimer(p.run.timeout)
	p.run.probe.stop()
	p.state = draining
	p.run.process.Drain(drainIdle, p.spec.Grace)
}

// conclude records how the incarnation ended, and decides what comes next.
func (p *process) conclude() {
	r := p.run
	p.state = clearing
	exit := messages.Exit{
		Code: r.status.Code, Signal: r.status.Signal, Cause: r.cause, Reason: r.reason, Time: r.status.Time,
		UserTime: r.status.UserTime, SystemTime: r.status.SystemTime, MaxRSS: r.status.MaxRSS,
	}
	p.incarnations = append(p.incarnations, messages.Incarnation{Mark: r.mark, Exit: exit})
	p.incarnations = p.incarnations[max(0, len(p.incarnations)-maxIncarnations):]
	p.refuseWrites()
	decision := p.spec.Restart.Decide(p.history, supervisor.Ended{
		At: exit.Time, Ran: r.ran(), Success: exit.Success() && exit.Cause == messages.CauseExited, Asked: r.asked,
	})
	p.history = decision.History
	if decision.Restart {
		delay := supervisor.Jitter(decision.MaxDelay)
		p.resume = exit.Time.Add(delay)
		p.publish(&messages.ProcessExited{Engine: p.config.from(), ID: p.id, Exit: exit})
		p.publish(&messages.ProcessRestarting{Engine: p.config.from(), ID: p.id, Incarnation: p.restarts + 1, Delay: delay, Time: time.Now()})
	} else {
		p.finish(exit)
	}
	switch {
	case r.treeGone:
	case r.leaderOnly || (p.spec.LeaveDescendants && r.stop == nil):
		r.treeGone = true
	default:
		p.armStop(supervisor.Stop{Signal: p.spec.StopSignal, Deadline: time.Now().Add(p.spec.Grace)})
		p.endTree()
	}
}

func (r *run) ran() time.Duration {
	if r.process == nil {
		return 0
	}
	return r.status.Time.Sub(r.process.StartedAt)
}

// finish makes exit the final one, and tells everybody who waits for it.
func (p *process) finish(exit messages.Exit) {
	p.exit = &exit
	p.system.Root.Send(p.pool, &processEnded{p.id})
	p.publish(&messages.ProcessExited{Engine: p.config.from(), ID: p.id, Exit: exit, Final: true})
	p.answerExit(p.waiters)
	for _, monitor := range p.monitors {
		p.answer(monitor, &messages.ProcessDown{ID: p.id, Exit: exit})
	}
	p.waiters, p.monitors = nil, nil
	p.refuseReadiness()
	p.serveReads()
}

// settle reaps the leader, now that nothing else is left of the incarnation.
func (p *process) settle() {
	stopTimer(p.run.grace)
	if p.run.process != nil {
		p.run.process.Reap()
	}
	p.outcome = p.run.outcome
	p.run = nil
	if p.exit == nil {
		p.state = backingOff
		p.armBackoff()
		return
	}
	p.settled()
}

func (p *process) settled() {
	p.state = exited
	p.system.Root.Send(p.pool, &processSettled{p.id, p.outcome})
	p.answerExit(p.killers)
	p.killers = nil
}

func (p *process) armBackoff() {
	p.backoff = time.AfterFunc(time.Until(p.resume), func() { p.tell(&backoffElapsed{}) })
}

func (p *process) backoffElapsed() {
	if p.state == backingOff {
		p.restarts++
		p.start()
	}
}

// kill answers once the process and all that it spawned is dead.
func (p *process) kill(asker *actor.PID) {
	p.killers = append(p.killers, asker)
	if p.state == exited {
		p.killLeftAlive()
		return
	}
	p.end(messages.CauseKilled, true, false, p.stopIn(p.spec.Grace))
}

// killLeftAlive ends what outlived an exited leader on purpose.
func (p *process) killLeftAlive() {
	if !p.spec.LeaveDescendants || p.last == nil {
		p.answerExit(p.killers)
		p.killers = nil
		return
	}
	last := p.last
	if last.EndTree(p.spec.StopSignal) {
		p.answerExit(p.killers)
		p.killers = nil
		return
	}
	time.AfterFunc(p.spec.Grace, func() { last.Stop(syscall.SIGKILL) })
}

func (p *process) endProcess(m *endProcess) {
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

// end ends the process, whatever it does at the moment. If a caller asked, it
// is not started again.
func (p *process) end(cause messages.Cause, asked, leaderOnly bool, stop supervisor.Stop) {
	switch p.state {
	case backingOff:
		stopTimer(p.backoff)
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
		p.armStop(r.stop.Sooner(stop))
		r.leaderOnly = r.leaderOnly && leaderOnly
		return
	}
	r.stop, r.leaderOnly = &stop, leaderOnly
	if r.status == nil {
		r.cause = cause
	}
	if p.state == starting {
		return
	}
	p.publish(&messages.ProcessStopping{Engine: p.config.from(), ID: p.id, Cause: cause, Time: time.Now()})
	p.signalStop()
}

// signalStop sends the signal that is due, and waits for the end of the tree.
func (p *process) signalStop() {
	r := p.run
	stopTimer(r.timeout)
	p.state = stopping
	p.armStop(*r.stop)
	if r.status != nil {
		p.endTree()
	}
	p.advance()
}

// armStop makes stop the way in which the incarnation ends: what is due is sent
// now, and SIGKILL when the deadline has passed.
func (p *process) armStop(stop supervisor.Stop) {
	r := p.run
	stopTimer(r.grace)
	r.stop = &stop
	if r.process == nil {
		return
	}
	sig, after := stop.Next(time.Now())
	if r.status == nil && r.outcome == endedItself {
		r.outcome = terminated
	}
	if after > 0 {
		r.grace = time.AfterFunc(after, func() { p.tell(&graceElapsed{r}) })
	} else {
		r.outcome = killed
	}
	switch {
	case p.state == clearing && after > 0: // endTree signals what it finds
	case r.leaderOnly:
		r.process.StopLeader(sig)
	default:
		r.process.Stop(sig)
	}
	if after == 0 && r.status == nil && !r.process.Killable() {
		p.giveUp()
	}
}

// giveUp tells who asked for the end that it cannot be forced: the leader belongs
// to another user now (setuid programs, sudo). It may still end by itself.
func (p *process) giveUp() {
	p.config.Logger.Warn("cannot kill a process of another user", "id", p.id, "pid", p.run.process.PID)
	p.answerAll(p.killers, p.refusal(messages.CodeDenied, "cannot kill: it runs as another user"))
	p.killers = nil
	if p.run.forgotten { // the pool waits for nothing more
		p.system.Root.Send(p.pool, &processSettled{p.id, killed})
	}
}

// endTree ends what the leader, which has exited, left behind.
func (p *process) endTree() {
	r := p.run
	if r.leaderOnly {
		r.treeGone = true
		return
	}
	sig, _ := r.stop.Next(time.Now())
	r.treeGone = r.process.EndTree(sig) || r.treeGone
}

func (p *process) graceElapsed(r *run) {
	if p.run == r {
		p.armStop(*r.stop)
	}
}

// crash is the last act of an incarnation of this actor that has panicked: its
// process tree ends with it.
func (p *process) crash() {
	p.failures = append(p.failures[max(0, len(p.failures)-supervisor.MaxActorRestarts):], time.Now())
	if p.run != nil && p.run.process != nil {
		p.run.process.Stop(syscall.SIGKILL)
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
	r.stop = &supervisor.Stop{Signal: syscall.SIGKILL}
	r.leaderOnly = false
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
		stopTimer(p.run.grace)
		p.run.probe.stop()
		p.run.launch.Abandon()
	}
	p.refuseAll(p.refusal(messages.CodeClosed, "its engine has stopped"))
}

func stopTimer(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

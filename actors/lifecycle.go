package actors

import (
	"errors"
	"io/fs"
	"os/exec"
	"time"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// The life of a process. Each event records what has happened. advance then takes
// every transition that is due; it is the only place that knows the transitions:
//
//	starting ── it runs ─────────────────────▶ running
//	running ─── its leader exited ───────────▶ draining
//	(any) ───── it is to end ────────────────▶ stopping
//	stopping ── leader exited, and its tree is
//	            gone or the deadline past ───▶ draining
//	draining ── output complete ─────────────▶ clearing
//	clearing ── nothing left ────────────────▶ exited, or backingOff
//	backingOff ─ the delay is over ──────────▶ starting

// advance takes the transitions that are due.
func (p *process) advance() {
	for r := p.run; r != nil; r = p.run {
		switch {
		case p.state == running && r.status != nil:
			p.drain()
		case p.state == stopping && r.status != nil && !r.mayStillSpeak():
			p.drain()
		case p.state == draining && r.outputEnded && !r.probing:
			p.conclude()
		case p.state == clearing && r.treeGone && r.writing == nil:
			p.settle()
		default:
			return
		}
	}
}

// begin starts the first incarnation. After a panic it goes on with the record.
func (p *process) begin() {
	if p.state == unborn {
		p.start()
		return
	}
	if now := time.Now(); supervisor.FailsTooOften(p.failures, now) {
		p.failed = true
		p.abandon()
		p.pool.post(&processFailed{p.id})
		return
	}
	p.recoverFromCrash()
}

// start begins an incarnation.
func (p *process) start() {
	p.state = starting
	p.run = &run{begin: p.log.Begin()}
	command := p.command()
	p.searchOutput(&command)
	p.run.launch = p.config.Host.Start(command, func(event osproc.Event) { p.tell(event) })
}

// started records that the leader runs. Calling it again does no harm.
func (p *process) started() {
	r := p.run
	if r == nil || r.process != nil {
		return
	}
	r.process, p.last = r.launch, r.launch
	r.process.Attach()
	p.state = running
	event := &messages.ProcessStarted{Engine: p.config.from(), ID: p.id, PID: p.last.PID, Incarnation: p.restarts, Mark: r.begin, Time: p.last.StartedAt}
	p.publish(event)
	if r.stop != nil && r.cause == messages.CauseShutdown {
		p.answerStarter(p.refusal(messages.CodeClosed, "the engine is shutting down"))
	} else {
		p.answerStarter(event)
	}
	if r.stop != nil {
		p.publish(&messages.ProcessStopping{Engine: p.config.from(), ID: p.id, Cause: r.cause, Time: time.Now()})
		p.signalStop()
		return
	}
	if p.spec.Timeout > 0 {
		r.timeout = p.after(p.spec.Timeout, &timeoutElapsed{r})
	}
	p.nextWrite()
	p.startProbe()
}

func (p *process) answerStarter(message any) {
	p.answer(p.starter, message)
	p.starter = nil
}

// startFailed handles a start that has failed. If it was the first, the process is
// forgotten. If it was a restart, the incarnation has failed.
func (p *process) startFailed(err error) {
	refusal := p.startError(err)
	if p.restarts == 0 && len(p.incarnations) == 0 {
		p.pool.post(&startFailed{p.id, p.starter, refusal})
		p.starter = nil // the pool answers once it has forgotten the process
		p.refuseAll(messages.CodeNotFound, "it could not be started")
		return
	}
	now := time.Now()
	p.run.status = &osproc.Status{Code: -1, Time: now}
	p.run.outputEnded, p.run.treeGone = true, true
	p.run.cause, p.run.reason, p.run.startError = messages.CauseStartFailed, refusal.Message, refusal
	p.state = draining
	p.advance()
}

func (p *process) startError(err error) *messages.Error {
	e := &messages.Error{Code: messages.CodeStart, ID: p.id, Message: "start " + quote(p.spec.Command) + ": " + reason(err)}
	errors.As(err, &e.Errno)
	switch {
	case errors.Is(err, exec.ErrNotFound):
		e.Code = messages.CodeNoCommand
	case errors.Is(err, exec.ErrDot):
		e.Code = messages.CodeDot
	}
	return e
}

// reason returns the innermost error of os and os/exec. The outer ones only repeat
// the command.
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
	r.outputCut = r.stop != nil && p.log.Room() <= 0 // it was ended while it waited for its readers
	if p.state == stopping {
		p.endTree()
	}
	p.advance()
}

func (p *process) treeGone(m *osproc.TreeGone) {
	r := p.run
	if r == nil || r.process != m.Process() {
		return
	}
	r.treeGone = true
	if p.state == draining {
		p.drain() // what held the output open has ended: its last output may still be in the pipe
	}
	p.advance()
}

// mayStillSpeak reports whether the processes that are being ended may still write
// output, so that the output must not be cut yet.
func (r *run) mayStillSpeak() bool { return !r.treeGone && !r.overdue }

// drain reads the rest of the output.
func (p *process) drain() {
	stopTimer(p.run.timeout)
	p.run.probe.stop()
	p.state = draining
	r, now := p.run, time.Now()
	if r.drainBy.IsZero() {
		r.drainBy = now.Add(p.spec.Grace)
	}
	limit := max(0, r.drainBy.Sub(now))
	if r.atOnce {
		limit = 0
	}
	r.process.Drain(drainIdle, limit)
}

// outputSilent handles that no output has come for a while although another process
// holds the output open. That process is ended, and its output is read until it is
// gone. If it is to live on, or its grace is over, its output is discarded.
func (p *process) outputSilent(m *osproc.OutputSilent) {
	r := p.run
	if r == nil || r.process != m.Process() || p.state != draining || m.IsStale() {
		return
	}
	if r.isHeard() {
		return
	}
	r.outputCut = r.outputCut || r.process.OutputIsOpen()
	if r.stop == nil && !p.spec.LeaveDescendants && !r.treeGone {
		p.endLeft()
	}
	if !r.isHeard() {
		r.process.Discard()
	}
}

// isHeard reports whether the tree is being ended and its last output is still read.
func (r *run) isHeard() bool { return r.stop != nil && !r.leaderOnly && r.mayStillSpeak() }

// endLeft ends what the leader has left behind after it exited by itself.
func (p *process) endLeft() {
	p.run.stop = new(p.stopIn(p.spec.Grace))
	p.endTree()
}

// conclude records how the incarnation ended, and decides what happens next.
func (p *process) conclude() {
	r := p.run
	p.state = clearing
	exit := messages.Exit{
		Code: r.status.Code, Signal: r.status.Signal, Cause: r.cause, Reason: r.reason, StartError: r.startError, OutputCut: r.outputCut, Time: r.status.Time,
		UserTime: r.status.UserTime, SystemTime: r.status.SystemTime, MaxRSS: r.status.MaxRSS,
	}
	decision := p.spec.Restart.Decide(p.history, supervisor.Ended{
		At: exit.Time, Ran: r.ran(), Success: exit.Success() && exit.Cause == messages.CauseExited, Asked: r.asked,
		Unready: p.spec.Ready != nil && !r.ready,
	})
	p.history, exit.GaveUp = decision.History, decision.GaveUp
	p.incarnations = append(p.incarnations, messages.Incarnation{Mark: r.begin, Ready: r.ready, Exit: exit})
	p.incarnations = p.incarnations[max(0, len(p.incarnations)-maxIncarnations):]
	p.refuseWrites()
	p.wasReady = r.ready
	if decision.Restart {
		now, delay := time.Now(), supervisor.Jitter(decision.MaxDelay)
		p.resume = now.Add(delay)
		p.publish(&messages.ProcessExited{Engine: p.config.from(), ID: p.id, Exit: exit, End: p.log.End()})
		p.publish(&messages.ProcessRestarting{Engine: p.config.from(), ID: p.id, Incarnation: p.restarts + 1, Delay: delay, Time: now})
	} else {
		p.finish(exit)
	}
	switch {
	case r.treeGone:
	case r.leaderOnly || (p.spec.LeaveDescendants && r.stop == nil):
		r.treeGone, r.leaves = true, true
	case r.stop == nil:
		p.endLeft()
	}
}

func (r *run) ran() time.Duration {
	if r.process == nil {
		return 0
	}
	return r.status.Time.Sub(r.process.StartedAt)
}

// finish makes exit the final exit, and answers everybody who waits for it.
func (p *process) finish(exit messages.Exit) {
	p.exit = &exit
	p.pool.post(&processEnded{p.id})
	p.publish(&messages.ProcessExited{Engine: p.config.from(), ID: p.id, Exit: exit, Final: true, End: p.log.End()})
	p.answerExit(&p.waiters)
	for _, monitor := range p.monitors.take() {
		p.answer(monitor.asker, &messages.ProcessDown{ID: p.id, Exit: exit})
	}
	p.refuseReadiness()
	p.serveReads()
}

// settle reaps the leader, now that everything else of the incarnation that must end
// has ended.
func (p *process) settle() {
	switch {
	case p.run.process == nil:
	case p.run.leaves:
		p.run.process.Leave(p.spec.StopSignal)
	default:
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
	if p.spec.LeaveDescendants && p.killers.count() > 0 {
		p.killLeftAlive(*p.kills) // a Kill may have come too late to keep it from being left
	}
	p.tellSettled()
	if !p.killing {
		p.answerKillers()
	}
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

// after sends the actor, after d, a message that ends the incarnation. Whatever has happened
// by then is reported before it: a timer never overtakes an event.
func (p *process) after(d time.Duration, message any) *time.Timer {
	of, due := p.run.process, time.Now().Add(d)
	return time.AfterFunc(d, func() {
		of.LookLate(due)
		p.tell(message)
	})
}

func stopTimer(t *time.Timer) {
	if t != nil {
		t.Stop()
	}
}

package actors

import (
	"context"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

const (
	defaultProbeInterval = 100 * time.Millisecond
	defaultProbeTimeout  = time.Minute
)

// probe finds out whether an incarnation is ready. A search looks for its pattern
// in the output; a goroutine tries its other conditions. Both report by message.
type probe struct {
	cancel    context.CancelFunc
	timer     *time.Timer
	searching bool   // the pattern has not matched yet
	trying    string // the condition that does not hold yet, "" if all do
	failure   error  // of the last attempt at it
}

// probed is what the goroutine of a probe reports to its actor: the condition that
// it tries now ("" once all have held), and the error of a failed attempt.
type probed struct {
	run    *run
	trying string
	err    error
}

// probeEnded reports that the goroutine of a probe has ended, and that nothing is left
// of its attempts.
type probeEnded struct{ run *run }

// notReady reports that the timeout of a probe is over.
type notReady struct{ run *run }

// startProbe begins to find out whether the incarnation is ready.
func (p *process) startProbe() {
	r := p.run
	if p.spec.Ready == nil {
		p.becomeReady()
		return
	}
	spec := *p.spec.Ready
	if spec.Interval == 0 {
		spec.Interval = defaultProbeInterval
	}
	if spec.Timeout == 0 {
		spec.Timeout = defaultProbeTimeout
	}
	ctx, cancel := context.WithCancel(context.Background())
	r.probe = &probe{cancel: cancel, searching: spec.Pattern != ""}
	r.probe.timer = p.after(spec.Timeout, &notReady{r})
	attempts := attempts{spec: spec, host: p.config.Host, command: p.command()}
	if conditions := attempts.conditions(); len(conditions) > 0 {
		r.probe.trying = conditions[0].name
		r.probing = true
		go func() {
			attempts.run(ctx, conditions, func(trying string, err error) { p.tell(&probed{r, trying, err}) })
			p.tell(&probeEnded{r})
		}()
	}
}

func (p *process) patternFound(m *patternFound) {
	if p.run == m.run && m.run.probe != nil {
		m.run.probe.searching = false
		p.checkReady()
	}
}

func (p *process) probed(m *probed) {
	if p.run == m.run && m.run.probe != nil {
		m.run.probe.trying, m.run.probe.failure = m.trying, m.err
		p.checkReady()
	}
}

func (p *process) probeEnded(r *run) {
	r.probing = false
	p.advance()
}

func (p *process) checkReady() {
	if probe := p.run.probe; !probe.searching && probe.trying == "" {
		probe.stop()
		p.becomeReady()
	}
}

// becomeReady records that the incarnation is ready. It may come after the leader's
// exit, because the output that shows it is read later.
func (p *process) becomeReady() {
	if p.state != running && (p.state != draining || p.run.stop != nil) {
		return
	}
	p.run.ready, p.run.probe = true, nil
	p.publish(&messages.ProcessReady{Engine: p.config.from(), ID: p.id, Time: time.Now()})
	p.answerAll(&p.readiness, &messages.Done{ID: p.id})
}

// notReady ends an incarnation that has not become ready in time.
func (p *process) notReady(r *run) {
	if p.run != r || p.state != running || r.probe == nil {
		return
	}
	r.reason = r.probe.missing(*p.spec.Ready)
	p.end(messages.CauseNotReady, false, false, p.stopIn(p.spec.Grace))
}

// missing names the condition of a probe that has not held.
func (b *probe) missing(spec messages.Probe) string {
	timeout := spec.Timeout
	if timeout == 0 {
		timeout = defaultProbeTimeout
	}
	switch {
	case b.searching:
		return fmt.Sprintf("not ready within %v: no line of output matches %q", timeout, spec.Pattern)
	case b.failure != nil:
		return fmt.Sprintf("not ready within %v: %v", timeout, b.failure)
	}
	return fmt.Sprintf("not ready within %v: %s has not answered", timeout, b.trying)
}

// stop ends the probe. On nil it does nothing.
func (b *probe) stop() {
	if b != nil {
		b.cancel()
		b.timer.Stop()
	}
}

func (p *process) waitReady(asker *actor.PID) {
	switch {
	case p.run != nil && p.run.ready && p.state == running:
		p.answer(asker, &messages.Done{ID: p.id})
	case p.exit != nil:
		p.answer(asker, p.neverReady())
	default:
		p.readiness.add(asker, struct{}{})
	}
}

func (p *process) neverReady() *messages.Error {
	switch {
	case p.wasReady:
		return p.refusal(messages.CodeNotReady, "it is not ready any more: it has ended ("+p.exit.String()+")")
	case p.exit.Reason != "":
		return p.refusal(messages.CodeNotReady, "it ended before it was ready: "+p.exit.Reason)
	}
	return p.refusal(messages.CodeNotReady, "it ended before it was ready: "+p.exit.String())
}

// refuseReadiness refuses each WaitReady for a process that has ended.
func (p *process) refuseReadiness() {
	if p.readiness.count() > 0 {
		p.answerAll(&p.readiness, p.neverReady())
	}
}

package actors

import (
	"context"
	"fmt"
	"regexp"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/lines"
	"github.com/procession-go/procession/messages"
)

const (
	defaultProbeInterval = 100 * time.Millisecond
	defaultProbeTimeout  = time.Minute
)

// probe finds out whether an incarnation is ready. Its pattern is looked for by
// the actor in the output as it comes; its other conditions are tried by a
// goroutine, which reports with probed.
type probe struct {
	cancel  context.CancelFunc
	timer   *time.Timer
	pattern *regexp.Regexp // nil if there is none, or it has matched
	cursor  int64
	lines   [2]lines.Scanner // by stream
	trying  bool             // the goroutine has not succeeded yet
	failure error            // of the last attempt
}

// probed is what the goroutine of a probe reports to its actor: an attempt that
// failed, or that all conditions have held.
type probed struct {
	run *run
	err error
}

// notReady is when a probe's timeout is over.
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
	r.probe = &probe{cancel: cancel, cursor: r.mark}
	if spec.Pattern != "" {
		r.probe.pattern = regexp.MustCompile(spec.Pattern) // validate has tried it
	}
	r.probe.timer = time.AfterFunc(spec.Timeout, func() { p.tell(&notReady{r}) })
	if spec.TCP != "" || spec.HTTP != "" || len(spec.Exec) > 0 {
		r.probe.trying = true
		attempt := attempts{spec: spec, host: p.config.Host, command: p.command()}
		go attempt.run(ctx, func(err error) { p.tell(&probed{r, err}) })
	}
	p.outputReady()
}

// probeOutput looks for the pattern in what has come.
func (p *process) probeOutput() {
	if p.run == nil || p.run.probe == nil || p.run.probe.pattern == nil {
		return
	}
	probe := p.run.probe
	for s := range p.log.Segments(probe.cursor, 0) {
		probe.cursor = s.Offset + int64(len(s.Data))
		scanner := &probe.lines[s.Stream]
		none := scanner.Feed(s.Data, func(line []byte) bool { return !probe.pattern.Match(line) })
		if !none || probe.pattern.Match(scanner.Rest()) {
			probe.pattern = nil
			p.checkReady()
			return
		}
	}
}

func (p *process) probed(m *probed) {
	if p.run != m.run || m.run.probe == nil {
		return
	}
	m.run.probe.failure = m.err
	if m.err == nil {
		m.run.probe.trying = false
		p.checkReady()
	}
}

func (p *process) checkReady() {
	if probe := p.run.probe; probe.pattern == nil && !probe.trying {
		probe.stop()
		p.becomeReady()
	}
}

func (p *process) becomeReady() {
	if p.state != running {
		return
	}
	p.run.ready, p.run.probe = true, nil
	p.publish(&messages.ProcessReady{Engine: p.config.from(), ID: p.id, Time: time.Now()})
	p.answerAll(p.readiness, &messages.Done{ID: p.id})
	p.readiness = nil
}

// notReady ends an incarnation that has not become ready in time.
func (p *process) notReady(r *run) {
	if p.run != r || p.state != running || r.probe == nil {
		return
	}
	r.reason = r.probe.missing(*p.spec.Ready)
	p.end(messages.CauseNotReady, false, false, p.stopIn(p.spec.Grace))
}

// missing says what a probe has waited for in vain.
func (b *probe) missing(spec messages.Probe) string {
	timeout := spec.Timeout
	if timeout == 0 {
		timeout = defaultProbeTimeout
	}
	switch {
	case b.pattern != nil:
		return fmt.Sprintf("not ready within %v: no line of output matches %q", timeout, spec.Pattern)
	case b.failure != nil:
		return fmt.Sprintf("not ready within %v: %v", timeout, b.failure)
	}
	return fmt.Sprintf("not ready within %v", timeout)
}

// stop ends the probe; on nil it does nothing.
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
		p.readiness = append(p.readiness, asker)
	}
}

func (p *process) neverReady() *messages.Error {
	why := p.exit.String()
	if p.exit.Reason != "" {
		why = p.exit.Reason
	}
	return p.refusal(messages.CodeNotReady, "it ended before it was ready: "+why)
}

// refuseReadiness answers those who wait for a process that has ended.
func (p *process) refuseReadiness() {
	if len(p.readiness) > 0 {
		p.answerAll(p.readiness, p.neverReady())
		p.readiness = nil
	}
}

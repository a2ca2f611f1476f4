package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// shutdown is the end of a pool. All processes are told to end at the same time,
// with one deadline. When nothing is left of them, the host is closed, and then the
// pool stops.
type shutdown struct {
	askers   []*actor.PID
	deadline time.Time
	report   messages.ShutdownReport
	closing  bool // the host is being closed
}

// count adds how a process was ended to the report.
func (s *shutdown) count(o outcome) {
	switch o {
	case terminated:
		s.report.Terminated++
	case killed:
		s.report.Killed++
	}
}

func (p *pool) beginShutdown() {
	if p.shutdown != nil {
		p.shutdown.askers = append(p.shutdown.askers, p.ctx.Sender())
		return
	}
	p.shutdown = &shutdown{askers: []*actor.PID{p.ctx.Sender()}, deadline: time.Now().Add(p.config.Grace)}
	for _, e := range p.entries {
		if e.counts = !e.ended; !e.settled {
			e.mailbox.post(&endProcess{cause: messages.CauseShutdown, deadline: p.shutdown.deadline})
		}
	}
	p.config.Host.StopAllLeft(p.shutdown.deadline)
	p.checkShutdown()
}

// checkShutdown closes the host when nothing is left of the processes.
func (p *pool) checkShutdown() {
	if p.shutdown == nil || p.shutdown.closing {
		return
	}
	for _, e := range p.entries {
		if !e.settled {
			return
		}
	}
	p.shutdown.closing = true
	config, deadline, self := p.config, p.shutdown.deadline, p.mailbox
	go func() {
		config.close(deadline)
		self.post(&actor.PoisonPill{})
	}()
}

// countAll counts what the end of the pool kills.
func (p *pool) countAll() {
	for _, e := range p.entries {
		if e.counts {
			e.counts = false
			p.shutdown.count(killed)
		}
	}
}

// stopped is the last thing that the pool does, whatever has stopped it. Those who wait for
// the end are answered when nothing is left of the processes.
func (p *pool) stopped() {
	stopTimer(p.ended.timer)
	p.mailbox.stop(p.ctx.Self())
	if p.shutdown == nil {
		p.shutdown = &shutdown{}
		for _, e := range p.entries {
			e.counts = !e.ended
		}
	}
	p.countAll()
	config, s, entries := p.config, p.shutdown, p.entries
	go func() {
		config.close(time.Now())
		for _, e := range entries {
			for _, w := range e.releasers.take() {
				config.outbox.send(w.asker, &messages.Released{ID: e.id})
			}
		}
		for _, asker := range s.askers {
			config.outbox.send(asker, &s.report)
		}
		config.end(s)
	}()
}

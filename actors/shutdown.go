package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// shutdown is the end of a pool: all processes are told at once to end, with one
// deadline for all; when nothing is left of them the host is closed, and then
// the pool stops.
type shutdown struct {
	askers   []*actor.PID
	deadline time.Time
	report   messages.ShutdownReport
	closing  bool // the host is being closed
}

// count counts how a process was ended.
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
			p.ctx.Send(e.actor, &endProcess{cause: messages.CauseShutdown, deadline: p.shutdown.deadline})
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
	config, deadline, system, self := p.config, p.shutdown.deadline, p.ctx.ActorSystem(), p.ctx.Self()
	go func() {
		config.close(deadline)
		system.Root.Send(self, &hostClosed{})
	}()
}

// hostClosed answers who asked for the shutdown. Their answer must not come
// before the pool has stopped.
func (p *pool) hostClosed() {
	stopTimer(p.ended.timer)
	p.ctx.Poison(p.ctx.Self())
}

// report answers who asked for the shutdown.
func (p *pool) report() {
	if p.shutdown != nil {
		for _, asker := range p.shutdown.askers {
			p.answer(asker, &p.shutdown.report)
		}
	}
}

package actors

import (
	"cmp"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/messages"
)

// gather is a short-lived actor that puts one question to several process
// actors on behalf of an asker, and hands on all their answers at once.
type gather struct {
	expected int
	answers  []any
	done     func(answers []any)
}

// patience is the longest that a gather waits for the next answer to a query.
// Process actors answer those at once; only one that has failed does not.
const patience = 10 * time.Second

// gather asks each of entries, and calls done, in another goroutine than the
// pool's, with the answers that have come.
func (p *pool) gather(entries []*entry, question func(e *entry, asker *actor.PID), patience time.Duration, done func(answers []any)) {
	if len(entries) == 0 {
		done(nil)
		return
	}
	pid := p.ctx.SpawnPrefix(actor.PropsFromProducer(func() actor.Actor {
		return &gather{expected: len(entries), done: done}
	}, actor.WithOnInit(func(ctx actor.Context) { ctx.SetReceiveTimeout(patience) })), "gather")
	for _, e := range entries {
		question(e, pid)
	}
}

// Receive dispatches.
func (g *gather) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started, *actor.Stopping, *actor.Restarting:
	case *actor.Stopped:
		if g.done != nil {
			g.done(g.answers)
		}
	case *actor.ReceiveTimeout:
		ctx.Stop(ctx.Self())
	default:
		g.answer(ctx, m)
	}
}

func (g *gather) answer(ctx actor.Context, m any) {
	g.answers = append(g.answers, m)
	if len(g.answers) == g.expected {
		g.done(g.answers)
		g.done = nil
		ctx.Stop(ctx.Self())
	}
}

// inOrder are the entries in order of creation.
func (p *pool) inOrder() []*entry {
	entries := make([]*entry, 0, len(p.entries))
	for _, e := range p.entries {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.number, b.number) })
	return entries
}

// describe asks all process actors for their Info, and calls done with those
// that s selects, in order of creation.
func (p *pool) describe(s messages.Selector, done func([]messages.Info)) {
	entries := p.inOrder()
	place := make(map[string]int, len(entries))
	for i, e := range entries {
		place[e.id] = i
	}
	ask := func(e *entry, asker *actor.PID) {
		p.ctx.ActorSystem().Root.RequestWithCustomSender(e.actor, &messages.GetInfo{ID: e.id}, asker)
	}
	p.gather(entries, ask, patience, func(answers []any) {
		infos := make([]messages.Info, 0, len(answers))
		for _, a := range answers {
			if info, ok := a.(*messages.Info); ok && selects(s, info) {
				infos = append(infos, *info)
			}
		}
		slices.SortFunc(infos, func(a, b messages.Info) int { return cmp.Compare(place[a.ID], place[b.ID]) })
		done(infos)
	})
}

// selects reports whether s selects a process.
func selects(s messages.Selector, info *messages.Info) bool {
	for name, value := range s.Labels {
		if got, ok := info.Labels[name]; !ok || got != value {
			return false
		}
	}
	return (len(s.States) == 0 || slices.Contains(s.States, info.State)) &&
		(len(s.Names) == 0 || slices.Contains(s.Names, info.Name))
}

func (p *pool) list(m *messages.ListProcesses) {
	if p.stopping { // a child that is spawned now would never be stopped
		p.respond(p.closing("list"))
		return
	}
	system, asker := p.ctx.ActorSystem(), p.ctx.Sender()
	p.describe(m.Selector, func(infos []messages.Info) {
		answer(system, asker, &messages.ProcessList{Processes: infos})
	})
}

// selected is sent by the pool to itself: who is to be killed or released.
type selected struct {
	asker   *actor.PID
	infos   []messages.Info
	release bool
}

func (p *pool) selectAll(s messages.Selector, release bool) {
	if p.stopping {
		p.respond(p.closing("select"))
		return
	}
	system, self, asker := p.ctx.ActorSystem(), p.ctx.Self(), p.ctx.Sender()
	p.describe(s, func(infos []messages.Info) {
		system.Root.Send(self, &selected{asker, infos, release})
	})
}

// endSelected kills or releases what is still there of the selected.
func (p *pool) endSelected(m *selected) {
	if p.stopping {
		p.answer(m.asker, p.closing("select"))
		return
	}
	var entries []*entry
	counted := map[string]bool{} // that were not dead already
	for _, info := range m.infos {
		if e := p.entries[info.ID]; e != nil {
			entries = append(entries, e)
			if m.release || info.State != messages.Exited {
				counted[e.id] = true
			}
		}
	}
	end := func(e *entry, asker *actor.PID) {
		if m.release {
			p.releaseFor(e, asker)
			return
		}
		p.ctx.ActorSystem().Root.RequestWithCustomSender(e.actor, &messages.KillProcess{ID: e.id}, asker)
	}
	system := p.ctx.ActorSystem()
	p.gather(entries, end, 0, func(answers []any) {
		for _, a := range answers {
			if refusal, ok := a.(*messages.Error); ok {
				delete(counted, refusal.ID)
			}
		}
		answer(system, m.asker, &messages.Count{N: len(counted)})
	})
}

package actors

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/ending"
	"github.com/procession-go/procession/internal/reply"
	"github.com/procession-go/procession/messages"
)

// gather asks several process actors the same question on behalf of one asker, and
// collects their answers.
type gather struct {
	pid      *actor.PID
	system   *actor.ActorSystem
	expected int
	done     func(answers []any)

	mu       sync.Mutex
	answers  []any
	timer    *time.Timer
	due      time.Time // when the timer fires; zero once it has fired late
	finished bool
}

// patience is how long a gather waits for the next answer to a query. Process actors
// answer queries at once; only one that is held up does not.
const patience = 10 * time.Second

// gather asks each of entries, and calls done in a goroutine of its own with the answers.
// They are fewer than the entries if no answer has come for the time patience. 0 means that
// it waits for ever.
func (p *pool) gather(entries []*entry, question func(e *entry, asker *actor.PID), patience time.Duration, done func(answers []any)) {
	if len(entries) == 0 {
		done(nil)
		return
	}
	g := &gather{system: p.config.outbox.system, expected: len(entries), done: done}
	g.pid = reply.Register(g.system, g, "procession-gather")
	if patience > 0 {
		g.due = time.Now().Add(patience)
		g.timer = time.AfterFunc(patience, g.timeout)
	}
	for _, e := range entries {
		question(e, g.pid)
	}
}

// Answer adds an answer.
func (g *gather) Answer(message any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.finished {
		return
	}
	g.answers = append(g.answers, message)
	if g.timer != nil {
		g.due = time.Now().Add(patience)
		g.timer.Reset(patience)
	}
	if len(g.answers) == g.expected {
		g.finish()
	}
}

// timeout gives up. If the timer has fired late, it waits once more, because then the
// answers have had no time either.
func (g *gather) timeout() {
	g.mu.Lock()
	defer g.mu.Unlock()
	over := ending.Overtime(g.due, time.Now())
	switch {
	case g.finished:
	case over > 0 && !g.due.IsZero():
		g.due = time.Time{}
		g.timer.Reset(over)
	default:
		g.finish()
	}
}

func (g *gather) finish() {
	g.finished = true
	stopTimer(g.timer)
	g.system.ProcessRegistry.Remove(g.pid)
	go g.done(g.answers)
}

// SendUserMessage is Answer for senders that know only the address.
func (g *gather) SendUserMessage(_ *actor.PID, message any) {
	_, message, _ = actor.UnwrapEnvelope(message)
	g.Answer(message)
}

// SendSystemMessage drops it: a gather has no life cycle.
func (g *gather) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing.
func (g *gather) Stop(*actor.PID) {}

// inOrder returns the entries in order of creation.
func (p *pool) inOrder() []*entry {
	entries := make([]*entry, 0, len(p.entries))
	for _, e := range p.entries {
		entries = append(entries, e)
	}
	slices.SortFunc(entries, func(a, b *entry) int { return cmp.Compare(a.number, b.number) })
	return entries
}

// describe asks all process actors for their Info, and calls done with those that s
// selects, in order of creation, or with an error.
func (p *pool) describe(s messages.Selector, done func([]messages.Info, *messages.Error)) {
	entries := p.inOrder()
	place := make(map[string]int, len(entries))
	for i, e := range entries {
		place[e.id] = i
	}
	ask := func(e *entry, asker *actor.PID) { e.mailbox.ask(&messages.GetInfo{ID: e.id}, asker) }
	p.gather(entries, ask, patience, func(answers []any) {
		if missing := len(entries) - len(answers); missing > 0 {
			done(nil, &messages.Error{Code: messages.CodeFailed, Message: fmt.Sprintf("%d of %d process actors have not answered within %v", missing, len(entries), patience)})
			return
		}
		infos := make([]messages.Info, 0, len(answers))
		for _, a := range answers {
			if info, ok := a.(*messages.Info); ok && selects(s, info) {
				infos = append(infos, *info)
			}
		}
		slices.SortFunc(infos, func(a, b messages.Info) int { return cmp.Compare(place[a.ID], place[b.ID]) })
		done(infos, nil)
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
	if p.stopping {
		p.respond(p.closing("list"))
		return
	}
	outbox, asker := p.config.outbox, p.ctx.Sender()
	p.describe(m.Selector, func(infos []messages.Info, refusal *messages.Error) {
		if refusal != nil {
			outbox.send(asker, refusal)
			return
		}
		outbox.send(asker, &messages.ProcessList{Processes: infos})
	})
}

// selected is a message from the pool to itself: the processes to kill or to
// release.
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
	outbox, asker := p.config.outbox, p.ctx.Sender()
	p.describe(s, func(infos []messages.Info, refusal *messages.Error) {
		if refusal != nil {
			outbox.send(asker, refusal)
			return
		}
		p.mailbox.post(&selected{asker, infos, release})
	})
}

// endSelected kills or releases those of the selected processes that still exist.
func (p *pool) endSelected(m *selected) {
	if p.stopping {
		p.answer(m.asker, p.closing("select"))
		return
	}
	var entries []*entry
	counted := map[string]bool{} // those that were not dead already
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
		e.mailbox.ask(&messages.KillProcess{ID: e.id}, asker)
	}
	outbox := p.config.outbox
	p.gather(entries, end, 0, func(answers []any) {
		for _, a := range answers {
			if refusal, ok := a.(*messages.Error); ok {
				delete(counted, refusal.ID)
			}
		}
		outbox.send(m.asker, &messages.Count{N: len(counted)})
	})
}

package actors

import (
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/uuid"

	"github.com/procession-go/procession/internal/output"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

// pool is the actor that starts process actors, routes messages to them by ID,
// supervises them, and ends them all.
type pool struct {
	config   *Config
	mailbox  *mailbox
	ctx      actor.Context
	entries  map[string]*entry
	created  uint64 // entries made so far
	ended    retained
	owners   owners
	shutdown *shutdown // nil before a Shutdown
	stopping bool      // the process actors stop with it
}

// entry is one process, as the pool knows it.
type entry struct {
	id      string
	number  uint64 // in order of creation
	actor   *actor.PID
	mailbox *mailbox
	ended   bool   // it no longer counts for MaxProcesses
	settled bool   // nothing of it is left
	leaves  bool   // its descendants are left alive
	counts  bool   // for the report of the shutdown: it had not ended when that began
	owner   *owner // nil without one
	// releasing: it is being released. releasers wait for that.
	releasing bool
	releasers askers
}

func newPool(c *Config, m *mailbox) *pool {
	return &pool{config: c, mailbox: m, entries: map[string]*entry{}, owners: owners{}, shutdown: c.shutdown}
}

// Receive dispatches.
func (p *pool) Receive(ctx actor.Context) {
	defer p.refuseOnPanic(ctx)
	p.ctx = ctx
	switch m := ctx.Message().(type) {
	case *messages.StartProcess:
		p.start(m)
	case *messages.ReleaseProcess:
		p.release(m)
	case *messages.ListProcesses:
		p.list(m)
	case *messages.KillAll:
		p.selectAll(m.Selector, false)
	case *messages.ReleaseAll:
		p.selectAll(m.Selector, true)
	case *messages.GetCapabilities:
		p.respond(p.config.capabilities())
	case *messages.Shutdown:
		p.beginShutdown()

	case *messages.GetOutput:
		p.route(m.ID)
	case *messages.ReadOutput:
		p.route(m.ID)
	case *messages.WaitExit:
		p.route(m.ID)
	case *messages.WaitReady:
		p.route(m.ID)
	case *messages.KillProcess:
		p.route(m.ID)
	case *messages.GetInfo:
		p.route(m.ID)
	case *messages.WriteStdin:
		p.route(m.ID)
	case *messages.CloseStdin:
		p.route(m.ID)
	case *messages.ResizeTerminal:
		p.route(m.ID)
	case *messages.SendSignal:
		p.route(m.ID)
	case *messages.Monitor:
		p.route(m.ID)
	case *messages.Demonitor:
		p.route(m.ID)
	case *messages.Cancel:
		p.cancel(m)

	case *selected:
		p.endSelected(m)
	case *startFailed:
		p.startFailed(m)
	case *processEnded:
		p.processEnded(m)
	case *processSettled:
		p.processSettled(m)
	case *processFailed:
		p.processFailed(m)
	case *expire:
		p.retain()
	case *actor.Started:
		p.checkShutdown() // a shutdown that the last incarnation had begun goes on
	case *actor.Terminated:
		p.terminated(m)
	case *actor.Restarting:
		p.stopping = true
		p.fail()
	case *actor.Stopping:
		p.stopping = true
	case *actor.Stopped:
		p.stopped()
	default:
		p.respond(noRequest(m))
	}
}

// refuseOnPanic answers the sender of the message that made the pool panic. The
// panic goes on to the pool's supervisor.
func (p *pool) refuseOnPanic(ctx actor.Context) {
	if reason := recover(); reason != nil {
		p.config.log(slog.LevelError, "pool failed", "reason", reason, "stack", string(debug.Stack()))
		p.answer(ctx.Sender(), &messages.Error{Code: messages.CodeFailed, Message: fmt.Sprintf("pool failed: %v", reason)})
		panic(reason)
	}
}

// HandleFailure restarts a process actor that has failed; the actor goes on with its
// record. If the pool is stopping, the actor is told to stop once more, because it may
// have failed while it stopped.
func (p *pool) HandleFailure(system *actor.ActorSystem, s actor.Supervisor, child *actor.PID, stats *actor.RestartStatistics, reason, message any) {
	supervisor.Strategy().HandleFailure(system, s, child, stats, reason, message)
	if p.stopping {
		s.StopChildren(child)
	}
}

func (p *pool) answer(to *actor.PID, message any) { p.config.outbox.send(to, message) }

func (p *pool) respond(message any) { p.answer(p.ctx.Sender(), message) }

// route forwards the message to the actor of the process.
func (p *pool) route(id string) {
	if e := p.entries[id]; e != nil {
		p.mailbox.forward(e.mailbox)
		return
	}
	p.respond(p.notFound(id))
}

// noRequest refuses a message that is not a request.
func noRequest(m any) *messages.Error {
	return &messages.Error{Code: messages.CodeInvalidRequest, Message: fmt.Sprintf("%T is not a request (requests are pointers, such as *messages.GetInfo)", m)}
}

func (p *pool) closing(what string) *messages.Error {
	return &messages.Error{Code: messages.CodeClosed, Message: what + ": the engine is shutting down"}
}

func (p *pool) notFound(id string) *messages.Error {
	return &messages.Error{Code: messages.CodeNotFound, ID: id, Message: fmt.Sprintf("no such process: %q", id)}
}

func (p *pool) start(m *messages.StartProcess) {
	if refusal := p.admit(&m.Spec); refusal != nil {
		p.respond(refusal)
		return
	}
	p.created++
	r := &record{
		mailbox: mailbox{config: p.config, isLight: isLightForProcess}, config: p.config, pool: p.mailbox, starter: p.ctx.Sender(),
		id: p.newID(), spec: own(m.Spec, p.config), createdAt: time.Now(),
	}
	r.log = output.NewLog(r.spec.OutputLimit)
	if r.spec.Overflow == messages.Block {
		r.log.Block()
	}
	pid, err := p.spawn(r)
	if err != nil {
		p.respond(&messages.Error{Code: messages.CodeFailed, Message: "cannot spawn a process actor: " + err.Error()})
		return
	}
	e := &entry{id: r.id, number: p.created, actor: pid, mailbox: &r.mailbox, leaves: m.Spec.LeaveDescendants}
	p.entries[e.id] = e
	if m.Owner != nil {
		p.link(e, m.Owner)
	}
}

// spawn spawns the actor of a process. The spawn middlewares of whoever spawned the pool
// may refuse that, or fail.
func (p *pool) spawn(r *record) (pid *actor.PID, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			err = fmt.Errorf("%v", reason)
		}
	}()
	pid, err = p.ctx.SpawnNamed(r.mailbox.props(func() actor.Actor { return &process{r} }), r.id)
	if err == nil && !r.mailbox.made {
		err = errors.New("a middleware has spawned something else")
	}
	return pid, err
}

// admit says why a process cannot be started, nil if it can.
func (p *pool) admit(s *messages.Spec) *messages.Error {
	if p.shutdown != nil || p.stopping {
		return p.closing("start " + quote(s.Command))
	}
	if refusal := validate(s); refusal != nil {
		return refusal
	}
	if limit := p.config.MaxProcesses; limit > 0 && len(p.entries)-p.ended.count >= limit {
		return &messages.Error{Code: messages.CodeLimit, Message: fmt.Sprintf("start %q: %d processes run already, the most there may be", s.Command, limit)}
	}
	return nil
}

// newID draws an ID that is not taken: twelve hexadecimal digits of a random
// UUID, none of them from its fixed parts.
func (p *pool) newID() string {
	for {
		random := uuid.New()
		id := "proc_" + hex.EncodeToString(random[:6])
		if p.entries[id] == nil {
			return id
		}
	}
}

func (p *pool) startFailed(m *startFailed) {
	if e := p.entries[m.id]; e != nil {
		p.forget(e)
		p.answer(m.asker, m.err)
		for _, w := range e.releasers.take() {
			p.answer(w.asker, &messages.Released{ID: e.id})
		}
	}
}

func (p *pool) processEnded(m *processEnded) {
	if e := p.entries[m.id]; e != nil && !e.ended {
		e.ended = true
		p.ended.add(e)
		p.retain()
	}
}

func (p *pool) processSettled(m *processSettled) {
	e := p.entries[m.id]
	if e == nil || e.settled {
		return
	}
	if e.counts {
		e.counts = false
		p.shutdown.count(m.outcome)
	}
	if e.releasing && !m.released {
		return // it does not know of the release yet, and will send this again
	}
	e.settled = true
	if e.releasing {
		p.released(e)
	}
	p.checkShutdown()
}

func (p *pool) release(m *messages.ReleaseProcess) {
	e := p.entries[m.ID]
	if e == nil {
		p.respond(p.notFound(m.ID))
		return
	}
	p.releaseFor(e, p.ctx.Sender())
}

// releaseFor forgets a process as soon as nothing of it is left, and then answers
// asker.
func (p *pool) releaseFor(e *entry, asker *actor.PID) {
	again := e.releasing
	if e.ended && !again {
		p.ended.leave()
	}
	e.releasing = true
	e.releasers.add(asker, struct{}{})
	switch {
	case e.settled && !e.leaves:
		p.released(e)
	case !again:
		e.settled = false // a Kill of what was left alive may be under way
		e.mailbox.post(&endProcess{cause: messages.CauseKilled, release: true})
	}
}

// released answers those who wait for the release.
func (p *pool) released(e *entry) {
	p.forget(e)
	p.config.outbox.publish(&messages.ProcessReleased{Engine: p.config.from(), ID: e.id, Time: time.Now()})
	for _, w := range e.releasers.take() {
		p.answer(w.asker, &messages.Released{ID: e.id})
	}
}

// forget removes the ID. The actor answers what is in its mailbox, then it stops.
func (p *pool) forget(e *entry) {
	delete(p.entries, e.id)
	if e.ended {
		p.ended.remove(e)
	}
	p.unlink(e)
	e.mailbox.post(&actor.PoisonPill{}) // if it has stopped already, nothing happens
	p.checkShutdown()
}

// cancel takes back the sender's request to release, and is routed to the process
// actor.
func (p *pool) cancel(m *messages.Cancel) {
	if e := p.entries[m.ID]; e != nil {
		if asker := p.ctx.Sender(); asker != nil {
			e.releasers.remove(asker) // it is released all the same
		}
		p.mailbox.forward(e.mailbox)
	}
}

// processFailed forgets a process whose actor has failed too often.
func (p *pool) processFailed(m *processFailed) {
	if e := p.entries[m.id]; e != nil {
		p.config.log(slog.LevelError, "process actor has failed too often", "id", m.id)
		p.released(e)
	}
}

// terminated handles that an actor has stopped: an owner, or a process actor that
// someone other than the pool has stopped.
func (p *pool) terminated(m *actor.Terminated) {
	if p.stopping {
		return
	}
	p.ownerStopped(m.Who)
	id := m.Who.Id[strings.LastIndexByte(m.Who.Id, '/')+1:]
	e := p.entries[id]
	if e == nil || !e.actor.Equal(m.Who) {
		return
	}
	p.config.log(slog.LevelError, "process actor was stopped", "id", id)
	p.released(e)
}

// fail handles that the pool has failed and goes on empty. It answers those who wait for
// the pool to release something. The process actors stop, and answer those who wait for
// them. A shutdown goes on.
func (p *pool) fail() {
	failed := &messages.Error{Code: messages.CodeFailed, Message: "pool failed"}
	for _, e := range p.entries {
		for _, w := range e.releasers.take() {
			p.answer(w.asker, failed)
		}
	}
	p.countAll()
	p.config.shutdown = p.shutdown
}

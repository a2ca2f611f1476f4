package actors

import (
	"encoding/hex"
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/uuid"

	"github.com/procession-go/procession/internal/output"
	"github.com/procession-go/procession/messages"
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
	shutdown *shutdown // once it has been asked for
	stopping bool      // the process actors stop with it
}

// entry is one process, as the pool knows it.
type entry struct {
	id      string
	number  uint64 // in order of creation
	actor   *actor.PID
	ended   bool // it does not count for MaxProcesses any more
	settled bool // nothing of it is left
	leaves  bool // its descendants are left alive
	counts  bool // for the report of the shutdown: it had not ended when that began
	owner   *actor.PID
	// Who waits for its release, with a nil for each who left no address.
	releasing []*actor.PID
}

func newPool(c *Config, m *mailbox) *pool {
	return &pool{config: c, mailbox: m, entries: map[string]*entry{}, owners: owners{}}
}

// Receive dispatches.
func (p *pool) Receive(ctx actor.Context) {
	defer p.refuseOnPanic(ctx)
	p.ctx = ctx
	if isNil(ctx.Message()) {
		p.unknown(ctx.Message())
		return
	}
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
	case *hostClosed:
		p.hostClosed()
	case *actor.Terminated:
		p.terminated(m)
	case *actor.Restarting:
		p.stopping = true
		p.config.down(false)
	case *actor.Stopping:
		p.stopping = true
	case *actor.Stopped:
		p.stopped()
	default:
		p.unknown(m)
	}
}

// refuseOnPanic answers who sent the message that made the pool panic, and lets
// the panic go on to the pool's supervisor.
func (p *pool) refuseOnPanic(ctx actor.Context) {
	if reason := recover(); reason != nil {
		p.config.Logger.Error("pool failed", "reason", reason, "stack", string(debug.Stack()))
		answer(ctx.ActorSystem(), ctx.Sender(), &messages.Error{Code: messages.CodeFailed, Message: fmt.Sprintf("pool failed: %v", reason)})
		panic(reason)
	}
}

func (p *pool) answer(to *actor.PID, message any) { answer(p.ctx.ActorSystem(), to, message) }

func (p *pool) respond(message any) { p.answer(p.ctx.Sender(), message) }

// route forwards the message to the actor of the process.
func (p *pool) route(id string) {
	if e := p.entries[id]; e != nil {
		p.ctx.Forward(e.actor)
		return
	}
	p.respond(p.notFound(id))
}

// unknown refuses what somebody waits for in vain otherwise; the actor system's
// own messages have no sender.
func (p *pool) unknown(m any) {
	p.respond(&messages.Error{Code: messages.CodeInvalidRequest, Message: fmt.Sprintf("%T is no request (requests are pointers)", m)})
}

// isNil reports whether a message is a pointer to nothing.
func isNil(m any) bool {
	v := reflect.ValueOf(m)
	return v.Kind() == reflect.Pointer && v.IsNil()
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
	e := &entry{id: p.newID(), number: p.created, owner: m.Owner, leaves: m.Spec.LeaveDescendants}
	r := &record{
		config: p.config, system: p.ctx.ActorSystem(), pool: p.ctx.Self(), starter: p.ctx.Sender(),
		id: e.id, spec: own(m.Spec, p.config), createdAt: time.Now(),
	}
	r.log = output.NewLog(r.spec.OutputLimit)
	pid, err := p.ctx.SpawnNamed(r.mailbox.props(func() actor.Actor { return &process{r} }), e.id)
	if err != nil {
		p.respond(&messages.Error{Code: messages.CodeFailed, Message: "cannot spawn a process actor: " + err.Error()})
		return
	}
	e.actor = pid
	p.entries[e.id] = e
	if e.owner != nil {
		p.link(e)
	}
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
		for _, asker := range e.releasing {
			p.answer(asker, &messages.Released{ID: e.id})
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
	if len(e.releasing) > 0 && !m.released {
		return // it does not know of the release yet, and tells this again
	}
	e.settled = true
	if len(e.releasing) > 0 {
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

// releaseFor forgets a process as soon as nothing of it is left, and tells asker.
func (p *pool) releaseFor(e *entry, asker *actor.PID) {
	if e.ended && len(e.releasing) == 0 {
		p.ended.leave()
	}
	e.releasing = append(e.releasing, asker)
	switch {
	case e.settled && !e.leaves:
		p.released(e)
	case len(e.releasing) == 1:
		e.settled = false // a Kill of what was left alive may be under way
		p.ctx.Send(e.actor, &endProcess{cause: messages.CauseKilled, release: true})
	}
}

// released answers who waits for the release.
func (p *pool) released(e *entry) {
	p.forget(e)
	p.ctx.ActorSystem().EventStream.Publish(&messages.ProcessReleased{Engine: p.config.from(), ID: e.id, Time: time.Now()})
	for _, asker := range e.releasing {
		p.answer(asker, &messages.Released{ID: e.id})
	}
}

// forget makes the ID mean nothing. The actor answers what is in its mailbox,
// then it stops.
func (p *pool) forget(e *entry) {
	delete(p.entries, e.id)
	if e.ended {
		p.ended.remove(e)
	}
	p.unlink(e)
	p.ctx.Poison(e.actor) // which harms nowhere if it has stopped already
	p.checkShutdown()
}

// cancel is routed, and takes back the sender's request to release.
func (p *pool) cancel(m *messages.Cancel) {
	if e := p.entries[m.ID]; e != nil {
		for i, asker := range e.releasing {
			if asker != nil && asker.Equal(p.ctx.Sender()) {
				e.releasing[i] = nil // it is released all the same
			}
		}
		p.ctx.Forward(e.actor)
	}
}

// processFailed forgets a process whose actor has failed too often.
func (p *pool) processFailed(m *processFailed) {
	if e := p.entries[m.id]; e != nil {
		p.config.Logger.Error("process actor has failed too often", "id", m.id)
		p.released(e)
	}
}

// terminated tells that an actor has stopped: an owner, or a process actor that
// somebody else has stopped.
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
	p.config.Logger.Error("process actor was stopped", "id", id)
	p.released(e)
}

// stopped frees what the pool has, if that was not done by a shutdown.
func (p *pool) stopped() {
	p.report()
	p.mailbox.stop(p.ctx.ActorSystem())
	p.config.down(true)
	go p.config.close(time.Now())
}

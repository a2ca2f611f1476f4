package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"
)

// owners are the owners of processes, by their address. Several may have one address: one
// that stops slowly, and the next one that already has its name.
type owners map[string][]*owner

// owner is one incarnation of an actor, identified as the registry identifies it.
type owner struct {
	pid   *actor.PID
	actor *actor.ActorProcess // nil if it is not an actor of this system
	owned map[*entry]bool
}

func address(pid *actor.PID) string { return pid.Address + "/" + pid.Id }

// localAddress is the address of PIDs in a system that cannot be reached from
// elsewhere, and in one that has no address yet (protoactor's process_registry.go).
const localAddress = "nonhost"

// name returns the address of an actor. An actor of this system may be known by several
// addresses; name returns the same one for all of them.
func (p *pool) name(pid *actor.PID) string {
	if isLocal(p.ctx.ActorSystem(), pid) {
		return "/" + pid.Id
	}
	return address(pid)
}

func isLocal(system *actor.ActorSystem, pid *actor.PID) bool {
	return pid.Address == system.ProcessRegistry.Address || pid.Address == localAddress
}

// link makes a process end with its owner. If the owner has stopped already, the pool is
// told so at once.
func (p *pool) link(e *entry, pid *actor.PID) {
	name := p.name(pid)
	incarnation := p.incarnation(pid)
	i := slices.IndexFunc(p.owners[name], func(o *owner) bool { return o.actor == incarnation })
	if i < 0 {
		i = len(p.owners[name])
		o := &owner{pid: actor.NewPID(pid.Address, pid.Id), actor: incarnation, owned: map[*entry]bool{}}
		p.owners[name] = append(p.owners[name], o)
		p.config.outbox.tell(incarnation, o.pid, &actor.Watch{Watcher: p.ctx.Self()})
	}
	e.owner = p.owners[name][i]
	e.owner.owned[e] = true
}

// incarnation returns the actor of this system that has an address at present, nil if
// there is none.
func (p *pool) incarnation(pid *actor.PID) *actor.ActorProcess {
	incarnation, _ := p.config.outbox.local(pid).(*actor.ActorProcess)
	return incarnation
}

func (p *pool) unlink(e *entry) {
	o := e.owner
	if o == nil {
		return
	}
	if delete(o.owned, e); len(o.owned) == 0 {
		p.forgetOwner(o)
	}
}

func (p *pool) forgetOwner(o *owner) {
	name := p.name(o.pid)
	p.owners[name] = slices.DeleteFunc(p.owners[name], func(other *owner) bool { return other == o })
	if len(p.owners[name]) == 0 {
		delete(p.owners, name)
		p.config.outbox.tell(o.actor, o.pid, &actor.Unwatch{Watcher: p.ctx.Self()})
	}
}

// ownerStopped releases the processes whose owner has stopped. A newer actor with the same
// name is another owner.
func (p *pool) ownerStopped(who *actor.PID) {
	if len(p.owners) == 0 { // the usual case: it is a process actor that was released
		return
	}
	for _, o := range slices.Clone(p.owners[p.name(who)]) {
		if o.actor != nil && p.incarnation(o.pid) == o.actor {
			continue
		}
		owned := o.owned
		o.owned = nil
		p.forgetOwner(o)
		for e := range owned {
			e.owner = nil
			p.releaseFor(e, nil)
		}
	}
}

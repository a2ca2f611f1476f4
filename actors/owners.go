package actors

import "github.com/asynkron/protoactor-go/actor"

// owners are the processes that end with an actor, by that actor's address.
type owners map[string]map[string]*entry

func address(pid *actor.PID) string { return pid.Address + "/" + pid.Id }

// link makes a process end with its owner. If that has stopped already, the
// pool is told so at once.
func (p *pool) link(e *entry) {
	key := address(e.owner)
	if p.owners[key] == nil {
		p.owners[key] = map[string]*entry{}
		p.ctx.Watch(e.owner)
	}
	p.owners[key][e.id] = e
}

func (p *pool) unlink(e *entry) {
	if e.owner == nil {
		return
	}
	key := address(e.owner)
	delete(p.owners[key], e.id)
	if owned, known := p.owners[key]; known && len(owned) == 0 {
		delete(p.owners, key)
		p.ctx.Unwatch(e.owner)
	}
}

// ownerStopped releases what ends with the actor.
func (p *pool) ownerStopped(who *actor.PID) {
	if len(p.owners) == 0 { // the usual case: it is a process actor that was released
		return
	}
	owned := p.owners[address(who)]
	delete(p.owners, address(who))
	for _, e := range owned {
		p.releaseFor(e, nil)
	}
}

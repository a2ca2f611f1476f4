package actors

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
)

// Config is what a pool is made with.
type Config struct {
	// Host runs the processes. The pool closes it when it stops.
	Host *osproc.Host
	// Logger gets what nobody else is told. It must not be nil.
	Logger *slog.Logger
	// Grace is for processes whose Spec has none, and for Shutdown.
	Grace time.Duration
	// OutputLimit is for processes whose Spec has none, in bytes, or
	// messages.Unlimited.
	OutputLimit int64
	// MaxProcesses is how many processes that have not ended there may be.
	// 0 is no limit.
	MaxProcesses int
	// MaxExited is how many processes that have ended are kept, the newest;
	// negative is no limit. MaxExitedAge is how long each is kept; 0 is no
	// limit.
	MaxExited    int
	MaxExitedAge time.Duration

	spawned   atomic.Bool
	pool      *mailbox
	workers   *workers
	outbox    *outbox // once it is spawned
	closeHost sync.Once
	ended     chan struct{} // closed when the pool has stopped, and nothing is left
	report    atomic.Pointer[messages.ShutdownReport]
	shutdown  *shutdown // that a pool which has failed has begun
}

// PoolProps are the props of a pool. They are for one spawn: the pool owns c.Host. A spawn
// fails that is not the first, and one with another mailbox.
func PoolProps(c *Config) *actor.Props {
	m := &mailbox{config: c, isLight: isLightForPool}
	c.pool, c.ended = m, make(chan struct{})
	c.workers = newWorkers(c.ended)
	return m.props(func() actor.Actor { return newPool(c, m) }, actor.WithSpawnFunc(c.spawn), actor.WithOnInit(func(ctx actor.Context) {
		if c.outbox != nil { // by another function to spawn than ours
			panic(errSpawned)
		}
		c.outbox = newOutbox(ctx.ActorSystem(), c.Logger)
		if !m.made {
			panic("a pool needs its own mailbox")
		}
	}))
}

// spawn spawns the pool. If that fails, but for a name that is taken, it cannot be tried
// again.
func (c *Config) spawn(system *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (pid *actor.PID, err error) {
	if !c.spawned.CompareAndSwap(false, true) {
		return nil, errSpawned
	}
	var added *actor.PID
	over := false
	defer func() {
		if reason := recover(); reason != nil || !over {
			if added != nil {
				system.ProcessRegistry.Remove(added)
			}
			c.close(time.Now())
			pid, err = nil, fmt.Errorf("cannot spawn a pool: %v", reason)
		} else if err != nil {
			c.spawned.Store(false)
		}
	}()
	if _, taken := system.ProcessRegistry.GetLocal(id); !taken {
		added = system.NewLocalPID(id)
	}
	pid, err = actor.DefaultSpawner(system, id, props, parent)
	over = true
	return pid, err
}

var errSpawned = errors.New("these props are for one pool, which was spawned already")

// Listen has put called with each event of the pool, which has been spawned, one after the
// other, until stop is called. It must not block.
func (c *Config) Listen(put func(messages.Event)) (stop func()) { return c.outbox.listen(put) }

// Ended is closed when the pool has stopped, whoever has stopped it, and nothing is left of
// its processes.
func (c *Config) Ended() <-chan struct{} { return c.ended }

// Report is how the processes of a pool ended that was stopped by somebody else than by a
// Shutdown. It is told once, and nil from then on.
func (c *Config) Report() *messages.ShutdownReport { return c.report.Swap(nil) }

// end tells that nothing is left.
func (c *Config) end(s *shutdown) {
	if len(s.askers) == 0 {
		c.report.Store(&s.report)
	}
	close(c.ended)
}

// close closes the host, once; what still runs gets until the deadline.
func (c *Config) close(deadline time.Time) {
	c.closeHost.Do(func() {
		if err := c.Host.Close(deadline); err != nil {
			c.log(slog.LevelError, "cannot close the host", "engine", c.Host.Engine(), "error", err)
		}
	})
}

// log writes a line to the log, whose handler is not called in the turn of an actor.
func (c *Config) log(level slog.Level, text string, args ...any) { c.outbox.log(level, text, args...) }

// from is the part of an event that says whose it is.
func (c *Config) from() messages.Engine { return messages.Engine{Engine: c.Host.Engine()} }

// capabilities are the host's, as messages tell them.
func (c *Config) capabilities() *messages.Capabilities {
	host := c.Host.Capabilities()
	told := &messages.Capabilities{
		Containment: messages.ContainmentGroup, Start: messages.StartPlain, Guarded: host.Guarded, Reason: host.Reason,
	}
	if host.Marks {
		told.Containment = messages.ContainmentMarks
	}
	if host.Scripts {
		told.Start = messages.StartScript
	}
	return told
}

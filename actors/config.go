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

// Config configures a pool.
type Config struct {
	// Host runs the processes. The pool closes it when it stops.
	Host *osproc.Host
	// Logger logs what no caller is told. It must not be nil.
	Logger *slog.Logger
	// Grace is for processes whose Spec has none, and for Shutdown.
	Grace time.Duration
	// OutputLimit is for processes whose Spec has none, in bytes, or
	// messages.Unlimited.
	OutputLimit int64
	// MaxProcesses is how many processes may exist that have not ended. 0 means no
	// limit.
	MaxProcesses int
	// MaxExited is how many ended processes are kept, the newest ones; a negative
	// number means no limit. MaxExitedAge is how long each of them is kept; 0 means
	// no limit.
	MaxExited    int
	MaxExitedAge time.Duration

	spawned   atomic.Bool
	pool      *mailbox
	workers   *workers
	outbox    *outbox // once it is spawned
	closeHost sync.Once
	ended     chan struct{} // closed when the pool has stopped, and nothing is left
	report    atomic.Pointer[messages.ShutdownReport]
	shutdown  *shutdown // one that a failed pool had begun
}

// PoolProps returns the props of a pool. They are good for one spawn, because the pool
// closes c.Host. A second spawn fails, and so does one with another mailbox.
func PoolProps(c *Config) *actor.Props {
	m := &mailbox{config: c, isLight: isLightForPool}
	c.pool, c.ended = m, make(chan struct{})
	c.workers = newWorkers(c.ended)
	return m.props(func() actor.Actor { return newPool(c, m) }, actor.WithSpawnFunc(c.spawn), actor.WithOnInit(func(ctx actor.Context) {
		if c.outbox != nil { // spawned by a function other than ours
			panic(errSpawned)
		}
		c.outbox = newOutbox(ctx.ActorSystem(), c.Logger)
		if !m.made {
			panic("a pool needs its own mailbox")
		}
	}))
}

// spawn spawns the pool. If that fails, it cannot be tried again, unless it failed
// because the name was taken.
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

// Listen has put called with each event of the pool, one after the other, until stop is
// called. put must not block. The pool must have been spawned.
func (c *Config) Listen(put func(messages.Event)) (stop func()) { return c.outbox.listen(put) }

// Ended returns a channel that is closed when the pool has stopped, for whatever reason,
// and nothing is left of its processes.
func (c *Config) Ended() <-chan struct{} { return c.ended }

// Report returns how the processes of the pool ended if something other than a Shutdown
// stopped the pool. Only the first call returns it; later calls return nil.
func (c *Config) Report() *messages.ShutdownReport { return c.report.Swap(nil) }

// end closes Ended: nothing is left.
func (c *Config) end(s *shutdown) {
	if len(s.askers) == 0 {
		c.report.Store(&s.report)
	}
	close(c.ended)
}

// close closes the host, once. What still runs has time until the deadline.
func (c *Config) close(deadline time.Time) {
	c.closeHost.Do(func() {
		if err := c.Host.Close(deadline); err != nil {
			c.log(slog.LevelError, "cannot close the host", "engine", c.Host.Engine(), "error", err)
		}
	})
}

// log writes a line to the log. The log's handler is not called in the turn of an
// actor.
func (c *Config) log(level slog.Level, text string, args ...any) { c.outbox.log(level, text, args...) }

// from returns the part of an event that names its engine.
func (c *Config) from() messages.Engine { return messages.Engine{Engine: c.Host.Engine()} }

// capabilities returns the host's capabilities as a message.
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

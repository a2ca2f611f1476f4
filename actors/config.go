package actors

import (
	"log/slog"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
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
	// Down, if not nil, is called when requests that are under way may never be
	// answered, because the pool has failed and goes on empty, or has stopped for
	// good.
	Down func(stopped bool)

	closeHost sync.Once
}

// PoolProps are the props of a pool. They are for one spawn: the pool owns
// c.Host.
func PoolProps(c *Config) *actor.Props {
	m := &mailbox{}
	return m.props(func() actor.Actor { return newPool(c, m) }, actor.WithSupervisor(supervisor.Strategy()))
}

// close closes the host, once; what still runs gets until the deadline.
func (c *Config) close(deadline time.Time) {
	c.closeHost.Do(func() {
		if err := c.Host.Close(deadline); err != nil {
			c.Logger.Error("cannot close the host", "engine", c.Host.Engine(), "error", err)
		}
	})
}

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

func (c *Config) down(stopped bool) {
	if c.Down != nil {
		c.Down(stopped)
	}
}

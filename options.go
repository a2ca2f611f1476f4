package procession

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"github.com/google/uuid"

	"github.com/procession-go/procession/actors"
	"github.com/procession-go/procession/internal/osproc"
	"github.com/procession-go/procession/messages"
)

// The defaults of an engine.
const (
	DefaultGrace       = 5 * time.Second
	DefaultOutputLimit = 1 << 20 // bytes
	DefaultMaxExited   = 1024
)

// Option is a choice about an engine.
type Option func(*options)

type options struct {
	system       *actor.ActorSystem
	logger       *slog.Logger
	grace        time.Duration
	outputLimit  int64
	maxProcesses int
	maxExited    int
	maxExitedAge time.Duration
	id           string
	guardian     bool
}

// WithActorSystem runs the engine in the caller's actor system, which outlives
// it. Without it the engine has one of its own.
func WithActorSystem(system *actor.ActorSystem) Option {
	return func(o *options) { o.system = system }
}

// WithLogger is where the engine logs. Without it that is slog.Default. Nothing
// is logged of one process's normal life.
func WithLogger(logger *slog.Logger) Option { return func(o *options) { o.logger = logger } }

// WithGrace is the grace of processes whose Spec has none, and that of Shutdown.
// 0 is 5 s.
func WithGrace(d time.Duration) Option { return func(o *options) { o.grace = d } }

// WithOutputLimit is the output limit of processes whose Spec has none, in bytes.
// 0 is 1 MiB, Unlimited (-1) retains everything.
func WithOutputLimit(n int64) Option { return func(o *options) { o.outputLimit = n } }

// WithMaxProcesses is how many processes that have not ended there may be; one
// more is refused with ErrLimit. 0, and without it, is no limit.
func WithMaxProcesses(n int) Option { return func(o *options) { o.maxProcesses = n } }

// WithRetention is how many processes that have ended are kept, the newest, and
// how long each; then they are released. A negative number is no limit, a zero
// ttl neither. Without it 1,024 are kept, as long as the engine lives.
func WithRetention(maxExited int, ttl time.Duration) Option {
	return func(o *options) { o.maxExited, o.maxExitedAge = maxExited, ttl }
}

// WithID names the engine: the value of PROCESSION_ENGINE in the environment of
// everything it starts. It must be unique on the machine, because everything
// that carries it ends with the engine. Without it, it is a fresh UUID.
func WithID(id string) Option { return func(o *options) { o.id = id } }

// WithGuardian gives the engine a guardian: a small helper process, this program
// executed again, that outlives the engine just long enough to end everything
// that it started if it dies without a Shutdown: by SIGKILL, out of memory, by a
// panic. Init must be the first thing in main. Without a guardian the processes
// that the engine started itself still die with it, but not what those spawned.
// On systems other than Linux New then fails with ErrUnsupported.
func WithGuardian() Option { return func(o *options) { o.guardian = true } }

func choose(opts []Option) (*options, error) {
	o := &options{maxExited: DefaultMaxExited}
	for _, opt := range opts {
		opt(o)
	}
	o.logger = cmp.Or(o.logger, slog.Default())
	o.id = cmp.Or(o.id, uuid.NewString())
	switch {
	case o.grace < 0:
		return nil, fmt.Errorf("WithGrace: %v is negative", o.grace)
	case o.outputLimit < messages.Unlimited:
		return nil, fmt.Errorf("WithOutputLimit: %d is negative", o.outputLimit)
	case o.maxProcesses < 0:
		return nil, fmt.Errorf("WithMaxProcesses: %d is negative", o.maxProcesses)
	case o.maxExitedAge < 0:
		return nil, fmt.Errorf("WithRetention: %v is negative", o.maxExitedAge)
	case strings.Contains(o.id, "\x00"):
		return nil, errors.New("WithID: the name contains a NUL byte")
	}
	o.grace = cmp.Or(o.grace, DefaultGrace)
	o.outputLimit = cmp.Or(o.outputLimit, DefaultOutputLimit)
	return o, nil
}

// config is what a pool is made with.
func (o *options) config() (*actors.Config, error) {
	host, err := osproc.NewHost(o.id)
	if err != nil {
		return nil, err
	}
	if o.guardian {
		lost := func(err error) { o.logger.Error("unguarded", "engine", o.id, "error", err) }
		if err := host.Guard(lost); err != nil {
			host.Close(time.Now())
			return nil, fmt.Errorf("WithGuardian: %w", err)
		}
	}
	return &actors.Config{
		Host: host, Logger: o.logger, Grace: o.grace, OutputLimit: o.outputLimit, MaxProcesses: o.maxProcesses,
		MaxExited: o.maxExited, MaxExitedAge: o.maxExitedAge,
	}, nil
}

// PoolProps are the props of a pool, for callers who spawn it as a child of an
// actor of their own and speak to it by message. They are for one spawn, with the mailbox
// that they have: another one is refused. If the
// actor above stops the pool, its processes are killed; send messages.Shutdown
// first for a graceful end. WithActorSystem means nothing here.
func PoolProps(opts ...Option) (*actor.Props, error) {
	o, err := choose(opts)
	if err != nil {
		return nil, err
	}
	config, err := o.config()
	if err != nil {
		return nil, err
	}
	return actors.PoolProps(config), nil
}

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

// Option configures an engine.
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

// WithActorSystem runs the engine in the caller's actor system, which outlives the
// engine. Without this option the engine makes an actor system of its own.
func WithActorSystem(system *actor.ActorSystem) Option {
	return func(o *options) { o.system = system }
}

// WithLogger sets where the engine logs. Without this option, and with nil, that is
// slog.Default. The normal life of a process is not logged.
func WithLogger(logger *slog.Logger) Option { return func(o *options) { o.logger = logger } }

// WithGrace sets the grace of processes whose Spec has none, and that of Shutdown.
// 0 is 5 s.
func WithGrace(d time.Duration) Option { return func(o *options) { o.grace = d } }

// WithOutputLimit sets the output limit of processes whose Spec has none, in bytes.
// 0 is 1 MiB, Unlimited (-1) retains everything.
func WithOutputLimit(n int64) Option { return func(o *options) { o.outputLimit = n } }

// WithMaxProcesses sets how many processes may exist that have not ended. One more
// is refused with ErrLimit. 0 means no limit, as does leaving this option out.
func WithMaxProcesses(n int) Option { return func(o *options) { o.maxProcesses = n } }

// WithRetention sets how many ended processes are kept, and for how long. The
// newest maxExited are kept, each for ttl; the others are released. A negative
// maxExited means no limit on the number, and a zero ttl means no limit on the
// time. Without this option 1,024 are kept for as long as the engine lives.
func WithRetention(maxExited int, ttl time.Duration) Option {
	return func(o *options) { o.maxExited, o.maxExitedAge = maxExited, ttl }
}

// WithID sets the name of the engine. The name is the value of PROCESSION_ENGINE in
// the environment of everything that the engine starts. It must be unique on the
// machine, because everything that carries it ends with the engine. Without this
// option the name is a fresh UUID.
func WithID(id string) Option { return func(o *options) { o.id = id } }

// WithGuardian gives the engine a guardian: a small helper process, which is this
// program executed again. If the engine dies without a Shutdown (by SIGKILL, out of
// memory, by a panic), the guardian ends everything that the engine started, and
// then itself. The program must call Init first in main; so must a test binary in
// its TestMain. Without a guardian, the processes that the engine started still die
// with it, but not what they spawned. On systems other than Linux, New fails with
// ErrUnsupported if this option is given.
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

// config returns the configuration of a pool.
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

// PoolProps returns the props of a pool, for callers that spawn it as a child of their
// own actor and speak to it by message. The props are good for one spawn and bring their
// own mailbox: a second spawn fails, and so does another mailbox. If the parent stops the
// pool, its processes are killed; send messages.Shutdown first to end them gracefully.
// WithActorSystem has no effect here.
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

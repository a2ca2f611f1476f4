// Package mcp is the command procession mcp.
package mcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/mcpserver"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/flags"
	"github.com/procession-go/procession/internal/cli/interrupt"
)

// mcpFlags are the flags of procession mcp.
type mcpFlags struct {
	http         string
	tokenFile    string
	hosts        []string
	idle         time.Duration
	allow        []string
	deny         []string
	root         string
	maxProcesses int
	maxOutput    flags.Size
	grace        time.Duration
	logFile      string
	pprof        flags.Pprof
}

// NewCommand makes the command procession mcp.
func NewCommand(c *console.Console) *cobra.Command {
	var f mcpFlags
	cmd := &cobra.Command{
		Use:   "mcp [flags]",
		Short: "Give agents tools to run processes (Model Context Protocol)",
		Long: `Serve the Model Context Protocol: tools with which an agent starts processes,
reads their output, waits for them, talks to them and ends them.

It speaks on standard input and output, to the client that has started it, or
with --http to clients that connect. Each client sees its own processes only.
They end with its session: when it hangs up, and when procession ends, however
that happens.

--allow, --deny and --root keep an agent from mistakes; they are no sandbox. A
program that may run can start any other, in any directory. Shell lines are run
by /bin/sh: --allow without sh refuses them, and --allow sh allows everything.`,
		Example: `  procession mcp
  procession mcp --root ~/src/project --allow go --allow git --deny rm
  procession mcp --http 127.0.0.1:8642
  procession mcp --http 0.0.0.0:8642 --token-file token`,
		Args: flags.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return f.pprof.During(c, func() error { return serveMCP(c, &f) })
		},
	}
	f.register(cmd.Flags())
	return cmd
}

func (f *mcpFlags) register(flags *pflag.FlagSet) {
	f.maxOutput = 16 << 20
	flags.SortFlags = false
	flags.StringVar(&f.http, "http", "", "serve streamable HTTP on this `address` (path /mcp); only this machine can reach it unless there is a token")
	flags.StringVar(&f.tokenFile, "token-file", "", "the bearer token that HTTP clients must send is in this `file`")
	flags.StringArrayVar(&f.hosts, "host", nil, "a `name` by which HTTP clients address this server, besides its addresses (repeatable)")
	flags.DurationVar(&f.idle, "idle", time.Hour, "end an HTTP session that has made no request for this `time`, 0 for never")
	flags.StringArrayVar(&f.allow, "allow", nil, "run only programs that match this `pattern`: npm, /opt/tools/* (repeatable)")
	flags.StringArrayVar(&f.deny, "deny", nil, "run no program that matches this `pattern`, even if it is allowed (repeatable)")
	flags.StringVar(&f.root, "root", "", "start processes in this `directory` and below it only")
	flags.IntVar(&f.maxProcesses, "max-processes", 256, "the most processes that run at the same time, a `number`; 0 for no limit")
	flags.Var(&f.maxOutput, "max-output", "most output that a process may have retained, a `size`: 64KiB, 16MiB, unlimited")
	flags.DurationVar(&f.grace, "grace", procession.DefaultGrace, "`time` a process gets to end before it is killed")
	flags.StringVar(&f.logFile, "log-file", "", "append the log to this `file` (default stderr)")
	f.pprof.Register(flags)
}

// serveMCP serves until the client hangs up or a signal asks for the end.
func serveMCP(c *console.Console, flags *mcpFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	logger, closeLog, err := flags.logger(c)
	if err != nil {
		return err
	}
	defer closeLog()
	token, err := flags.token(logger)
	if err != nil {
		return err
	}
	out := c.Stdout.File
	os.Stdout = c.Stderr.File // standard output is for the protocol and nothing else

	signals := interrupt.Signals()
	engine, err := flags.engine(logger)
	if err != nil {
		return err
	}
	defer engine.Shutdown(context.Background())
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	interrupt.Handle(signals, func(os.Signal) { cancel() }, func() { os.Exit(console.CodeEngine) }) // the guardian does the rest

	if os.Getenv("GOGC") == "" { // large answers leave much behind, and the program shares its machine
		debug.SetGCPercent(25)
	}
	server, err := mcpserver.New(engine, flags.options(logger))
	if err != nil {
		return console.Usage(err)
	}
	if flags.http == "" {
		err = server.ServeStdio(ctx, c.Stdin, out)
	} else {
		err = serveHTTP(ctx, server, flags, token)
	}
	if errors.Is(err, context.Canceled) || console.IsBrokenPipe(err) {
		return nil
	}
	return err
}

func serveHTTP(ctx context.Context, server *mcpserver.Server, flags *mcpFlags, token string) error {
	host, _, err := net.SplitHostPort(flags.http)
	if err != nil {
		return console.Usagef("--http: %w", err)
	}
	listener, err := net.Listen("tcp", flags.http)
	if err != nil {
		return fmt.Errorf("--http: %w", err)
	}
	hosts := flags.hosts
	if host != "" {
		hosts = append(hosts, host)
	}
	err = server.Serve(ctx, listener, mcpserver.HTTPOptions{Token: token, Hosts: hosts})
	if errors.Is(err, mcpserver.ErrNoToken) {
		return console.Usagef("--http without --token-file: %w", err)
	}
	return err
}

func (f *mcpFlags) check() error {
	switch {
	case f.http == "" && (f.tokenFile != "" || len(f.hosts) > 0):
		return console.Usagef("--token-file and --host are for --http")
	case f.maxProcesses < 0:
		return console.Usagef("--max-processes: %d is negative", f.maxProcesses)
	case f.idle < 0:
		return console.Usagef("--idle: %v is negative", f.idle)
	case f.grace < 0:
		return console.Usagef("--grace: %v is negative", f.grace)
	}
	return nil
}

func (f *mcpFlags) engine(logger *slog.Logger) (*procession.Engine, error) {
	options := []procession.Option{
		procession.WithGuardian(),
		procession.WithMaxProcesses(f.maxProcesses),
		procession.WithGrace(max(f.grace, 1)), // 0 would be the engine's default
		procession.WithRetention(-1, 0),       // the server keeps what ended, for each session
		procession.WithLogger(logger),
	}
	engine, err := procession.New(options...)
	if errors.Is(err, procession.ErrUnsupported) {
		return procession.New(options[1:]...) // no guardian on this system
	}
	return engine, err
}

func (f *mcpFlags) options(logger *slog.Logger) mcpserver.Options {
	o := mcpserver.Options{
		Allow: f.allow, Deny: f.deny, Root: f.root, MaxOutput: max(int64(f.maxOutput), 0),
		Idle: f.idle, Logger: logger,
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		o.Version = info.Main.Version
	}
	return o
}

// logger logs to stderr or the log file what is worth a line in the life of a
// server.
func (f *mcpFlags) logger(c *console.Console) (*slog.Logger, func() error, error) {
	to := c.Stderr.File
	shut := func() error { return nil }
	if f.logFile != "" {
		file, err := os.OpenFile(f.logFile, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return nil, nil, console.Usagef("--log-file: %w", err)
		}
		to, shut = file, file.Close
	}
	return slog.New(slog.NewTextHandler(to, nil)), shut, nil
}

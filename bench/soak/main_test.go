//go:build linux

package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	cmap "github.com/orcaman/concurrent-map"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/mcpserver"
	"github.com/procession-go/procession/internal/testkit"
)

// The test binary is also the servers and the clients that the soak of clients
// runs as programs of their own: roleVariable says which, engineVariable how the
// engine is named.
const (
	roleVariable   = "SOAK_ROLE"
	engineVariable = "SOAK_ENGINE"
)

// idle is after how long an HTTP session ends whose client makes no request.
const idle = 2 * time.Second

func TestMain(m *testing.M) {
	if procession.Init() {
		return
	}
	role, engine := os.Getenv(roleVariable), os.Getenv(engineVariable)
	os.Unsetenv(roleVariable)
	os.Unsetenv(engineVariable)
	var err error
	switch role {
	case "":
		testkit.Main(m)
	case "http":
		err = serve(engine, serveHTTP)
	case "stdio":
		err = serve(engine, func(s *mcpserver.Server) error {
			s.ServeStdio(context.Background(), os.Stdin, os.Stdout) // an error is that the client has vanished
			return nil
		})
	case "client":
		err = waitForever(engine)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
}

// play is this program in a role.
func play(role, engine string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), roleVariable+"="+role, engineVariable+"="+engine,
		"GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE")) // the race detector's last second
	cmd.Stderr = os.Stderr
	return cmd
}

// serve serves an engine of that name, in a way that returns when it is over.
func serve(engine string, way func(*mcpserver.Server) error) error {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // an error, no end
	cmap.SHARD_COUNT = 1                                    // as the program: 32,768 maps keep 8 MB of what was in them
	eng, err := procession.New(procession.WithID(engine), procession.WithGuardian(),
		procession.WithGrace(500*time.Millisecond), procession.WithRetention(-1, 0))
	if err != nil {
		return err
	}
	defer eng.Shutdown(context.Background())
	s, err := mcpserver.New(eng, mcpserver.Options{Idle: idle,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		return err
	}
	return way(s)
}

// serveHTTP serves until standard input ends. It prints the URL, and for each line
// of input what the program has. To "goroutines" it answers on standard error, too.
func serveHTTP(s *mcpserver.Server) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener, mcpserver.HTTPOptions{}) }()
	fmt.Println("http://" + listener.Addr().String() + mcpserver.Path)
	answers := json.NewEncoder(os.Stdout)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		if asked.Text() == "goroutines" {
			pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		}
		answers.Encode(measure())
	}
	cancel()
	return <-served
}

//go:build linux

package procession_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/internal/testkit/program"
)

// helpers are what the test binary can be besides a test binary, by name. They
// find their arguments in os.Args[1:].
var helpers = program.All

func TestMain(m *testing.M) {
	program.Main()
	// The actor system's throttle of dead letters ends by itself after a second.
	throttle := goleak.IgnoreTopFunction("github.com/asynkron/protoactor-go/actor.NewDeadLetter.NewThrottle.func4.1")
	testkit.Main(m, throttle)
}

// patience is how long a test waits for what must happen: the machine may be
// busy.
const patience = 30 * time.Second

// helper is a Spec that runs a helper.
func helper(name string, args ...string) procession.Spec { return program.Spec(name, args...) }

func newEngine(t testing.TB, opts ...procession.Option) *procession.Engine {
	t.Helper()
	return enginetest.New(t, opts...)
}

// within is a context that ends with the test, or when its patience does.
func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually polls a fact about the system outside until it holds.
func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Since(begin) > patience {
			t.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// must is the value of a call that has to succeed.
func must[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func start(t testing.TB, e *procession.Engine, spec procession.Spec) string {
	t.Helper()
	enginetest.Needs(t, spec)
	return must(e.Start(within(t), spec))(t)
}

// run starts a process, waits for its end, and returns that and its output.
func run(t testing.TB, e *procession.Engine, spec procession.Spec) (procession.Exit, procession.Output) {
	t.Helper()
	id := start(t, e, spec)
	exit := must(e.Wait(within(t), id))(t)
	return exit, must(e.Output(within(t), id))(t)
}

func info(t testing.TB, e *procession.Engine, id string) procession.Info {
	t.Helper()
	return must(e.Info(within(t), id))(t)
}

// awaitText waits until the output of a process contains text.
func awaitText(t testing.TB, e *procession.Engine, id, text string) {
	t.Helper()
	var seen []byte
	for chunk, err := range e.Follow(within(t), id, procession.ReadOptions{}) {
		if err != nil {
			t.Fatalf("while waiting for %q after %q: %v", text, seen, err)
		}
		for _, s := range chunk.Segments {
			seen = append(seen, s.Data...)
		}
		if bytes.Contains(seen, []byte(text)) {
			return
		}
	}
	t.Fatalf("the process ended without %q; its output is %q", text, seen)
}

// alive reports whether there is a process of that ID that is not a zombie.
func alive(pid int) bool { return strings.IndexByte("\x00ZX", processState(pid)) < 0 }

// processState is the letter in /proc/PID/stat, 0 if there is no such process.
func processState(pid int) byte {
	if runtime.GOOS != "linux" {
		if syscall.Kill(pid, 0) == nil {
			return 'S'
		}
		return 0
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if i := bytes.LastIndexByte(stat, ')'); err == nil && i+2 < len(stat) {
		return stat[i+2]
	}
	return 0
}

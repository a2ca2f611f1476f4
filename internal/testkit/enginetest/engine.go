// Package enginetest makes engines for tests, and asks them for what most tests ask.
package enginetest

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

var made atomic.Int64

// New makes an engine that is shut down at the end of the test. Nothing that carries its
// mark may be left then, and it must not have logged an error, unless it has a logger of
// the test's.
func New(t testing.TB, options ...procession.Option) *procession.Engine {
	t.Helper()
	id := fmt.Sprintf("test-%d-%d", os.Getpid(), made.Add(1))
	log := &errors{}
	defaults := []procession.Option{procession.WithID(id), procession.WithLogger(slog.New(log))}
	e, err := procession.New(append(defaults, options...)...)
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testkit.Patience)
		defer cancel()
		if _, err := e.Shutdown(ctx); err != nil {
			assert.ErrorIs(t, err, procession.ErrClosed)
		}
		assert.Empty(t, testkit.Marked(id), "processes are left after Shutdown")
		assert.Empty(t, log.text(), "errors were logged")
	})
	return e
}

// Needs skips a test if a program that a Spec's command lines name is not installed: see
// testkit.NeedsFor.
func Needs(t testing.TB, spec procession.Spec) {
	t.Helper()
	testkit.NeedsFor(t, spec.Command)
	testkit.NeedsFor(t, spec.Args...)
	if spec.Ready != nil {
		testkit.NeedsFor(t, spec.Ready.Exec...)
	}
}

// Start starts a process, which must succeed. If its command line names a program that is
// not installed, the test is skipped.
func Start(t testing.TB, e *procession.Engine, spec procession.Spec) (id string) {
	t.Helper()
	Needs(t, spec)
	id, err := e.Start(testkit.Within(t), spec)
	require.NoError(t, err)
	return id
}

// Wait waits for the end of a process.
func Wait(t testing.TB, e *procession.Engine, id string) procession.Exit {
	t.Helper()
	exit, err := e.Wait(testkit.Within(t), id)
	require.NoError(t, err)
	return exit
}

// Output is what is retained of a process's output.
func Output(t testing.TB, e *procession.Engine, id string) procession.Output {
	t.Helper()
	output, err := e.Output(testkit.Within(t), id)
	require.NoError(t, err)
	return output
}

// Run starts a process, waits for its end, and returns that and its output.
func Run(t testing.TB, e *procession.Engine, spec procession.Spec) (procession.Exit, procession.Output) {
	t.Helper()
	id := Start(t, e, spec)
	return Wait(t, e, id), Output(t, e, id)
}

// Info is what the engine tells of a process.
func Info(t testing.TB, e *procession.Engine, id string) procession.Info {
	t.Helper()
	info, err := e.Info(testkit.Within(t), id)
	require.NoError(t, err)
	return info
}

// Kill kills a process, which must succeed.
func Kill(t testing.TB, e *procession.Engine, id string) procession.Exit {
	t.Helper()
	exit, err := e.Kill(testkit.Within(t), id)
	require.NoError(t, err)
	return exit
}

// AwaitText waits until the output of a process contains a text.
func AwaitText(t testing.TB, e *procession.Engine, id, text string) {
	t.Helper()
	var seen []byte
	for chunk, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{}) {
		require.NoError(t, err, "while waiting for %q after %q", text, seen)
		for _, s := range chunk.Segments {
			seen = append(seen, s.Data...)
		}
		if bytes.Contains(seen, []byte(text)) {
			return
		}
	}
	require.Fail(t, "the process ended without a text", "%q is not in %q", text, seen)
}

// errors is a handler that keeps what is logged at Error.
type errors struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *errors) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }
func (l *errors) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *errors) WithGroup(string) slog.Handler                    { return l }
func (l *errors) Handle(ctx context.Context, r slog.Record) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slog.NewTextHandler(&l.buf, nil).Handle(ctx, r)
}

func (l *errors) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

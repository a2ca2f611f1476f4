//go:build linux

package procession_test

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

// findLine waits for a line that matches a pattern, which must come.
func findLine(t testing.TB, e *procession.Engine, id, pattern string) string {
	t.Helper()
	line, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile(pattern))
	require.NoError(t, err)
	return line
}

func TestWaitForFindsTheFirstLineOfWhatIsRetained(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Shell("echo zero; echo one 1; echo one 2 >&2; printf 'two, never ended'"))
	enginetest.Wait(t, e, id)
	for pattern, want := range map[string]string{
		"":         "zero",
		"^one":     "one 1",
		"2$":       "one 2",
		"^two":     "two, never ended", // the last line has no end
		"never.*$": "two, never ended",
	} {
		assert.Equal(t, want, findLine(t, e, id, pattern), "%q", pattern)
	}

	spec := helper("flood", "1000")
	spec.OutputLimit = 160
	evicted := enginetest.Start(t, e, spec)
	enginetest.Wait(t, e, evicted)
	assert.Equal(t, "000000000000990", findLine(t, e, evicted, "0$"), "of the last ten lines")
}

func TestWaitForWaitsForALineToCome(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, withStdin(procession.Spec{Command: "cat"}))
	lines := make(chan string)
	go func() {
		line, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile("^listening on .*[0-9]$"))
		assert.NoError(t, err)
		lines <- line
	}()
	for _, piece := range []string{"listening\n", "listening ", "on :", "8080\n"} {
		write(t, e, id, piece)
	}
	assert.Equal(t, "listening on :8080", <-lines)
}

func TestWaitForOfALineThatNeverComes(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, withStdin(procession.Shell("echo one; read line; printf two; exit 3")))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	line, err := e.WaitFor(ctx, id, regexp.MustCompile("three"))
	assert.ErrorIs(t, err, context.DeadlineExceeded, "while it runs")
	assert.Empty(t, line)
	failed := make(chan error)
	go func() {
		_, err := e.WaitFor(testkit.Within(t), id, regexp.MustCompile("three"))
		failed <- err
	}()
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	meanwhile := <-failed
	_, before := e.WaitFor(testkit.Within(t), id, regexp.MustCompile("three"))
	for name, err := range map[string]error{"it has ended meanwhile": meanwhile, "it had ended": before} {
		assert.ErrorIs(t, err, procession.ErrExited, name)
		assert.ErrorContains(t, err, "three", name)
		assert.ErrorContains(t, err, "exit status 3", name)
	}
	_, err = e.WaitFor(testkit.Within(t), id, nil)
	assert.ErrorIs(t, err, procession.ErrInvalidRequest, "no expression")
}

// A read that waits is an entry in a list, and no goroutine.
func TestWaitingReadsTakeNoGoroutine(t *testing.T) {
	e := enginetest.New(t)
	id := enginetest.Start(t, e, withStdin(procession.Spec{Command: "cat"}))
	m := newMailbox(t, e.System())
	askFor[*messages.Info](t, m, e.Pool(), &messages.GetInfo{ID: id})
	const reads = 1000
	before := settledGoroutines(0)
	for i := range reads {
		wait := time.Duration(-1)
		if i%2 == 0 {
			wait = time.Hour
		}
		e.System().Root.RequestWithCustomSender(e.Pool(), &messages.ReadOutput{ID: id, ReadOptions: messages.ReadOptions{Wait: wait}}, m.pid)
	}
	askFor[*messages.Info](t, m, e.Pool(), &messages.GetInfo{ID: id}) // all of them wait by now
	assert.LessOrEqual(t, settledGoroutines(before), before+5, "goroutines; there were %d before %d reads were waiting", before, reads)
	write(t, e, id, "x")
	for range reads {
		answer := m.next(t)
		chunk, ok := answer.(*messages.Chunk)
		require.True(t, ok, "%T: %v", answer, answer)
		require.Equal(t, "x", string(bytesOf(chunk.Segments)))
	}
}

func TestALineDoesNotGoOnInTheNextIncarnation(t *testing.T) {
	t.Parallel()
	for first, begins := range map[string]int64{"partial": 7, "": 0} {
		e := enginetest.New(t)
		file := filepath.Join(t.TempDir(), "ran")
		spec := procession.Shell(fmt.Sprintf(`if [ -e %q ]; then echo ready; exec sleep 1000; fi; touch %q; printf '%s'; exit 1`, file, file, first))
		spec.Restart = quick
		id := enginetest.Start(t, e, spec)
		patterns := []string{"ready"}
		if first != "" {
			patterns = append(patterns, first)
		}
		for _, want := range patterns {
			assert.Equal(t, want, findLine(t, e, id, "^"+want+"$"), "after %q", first)
		}
		got := enginetest.Info(t, e, id)
		assert.Equal(t, 1, got.Restarts, "after %q", first)
		assert.Equal(t, begins, got.Mark, "after %q", first)
		require.NotEmpty(t, got.Incarnations, "after %q", first)
		assert.Zero(t, got.Incarnations[0].Mark, "after %q", first)
		for cursor := range begins + 7 {
			for _, most := range []int{0, 1, 7, 8} {
				o := procession.ReadOptions{Cursor: cursor, MaxBytes: most}
				chunk := read(t, e, id, o)
				if begins > 0 && cursor <= begins && begins < chunk.Next {
					assert.Equal(t, []int64{begins}, chunk.Marks, "after %q, %+v", first, o)
				} else {
					assert.Empty(t, chunk.Marks, "after %q, %+v", first, o)
				}
			}
		}
	}
}

func TestMarksTellWhereEachIncarnationBegins(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := counting(t, `5) printf last; exec sleep 1000;; *) printf more; exit 1;;`)
	spec.Restart = quick
	id := enginetest.Start(t, e, spec)
	assert.Equal(t, "last", findLine(t, e, id, "^last$"))
	chunk := read(t, e, id, procession.ReadOptions{})
	assert.Equal(t, []int64{10, 20, 30, 40}, chunk.Marks, "of %q", bytesOf(chunk.Segments))
	var begin []int64
	for _, s := range chunk.Segments {
		begin = append(begin, s.Offset)
	}
	assert.Subset(t, begin, chunk.Marks, "where an incarnation begins, a segment does")
}

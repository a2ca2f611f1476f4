//go:build linux

package procession_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

func TestWaitForFindsTheFirstLineOfWhatIsRetained(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, procession.Shell("echo zero; echo one 1; echo one 2 >&2; printf 'two, never ended'"))
	must(e.Wait(within(t), id))(t)
	for pattern, want := range map[string]string{
		"":         "zero",
		"^one":     "one 1",
		"2$":       "one 2",
		"^two":     "two, never ended", // the last line has no end
		"never.*$": "two, never ended",
	} {
		if line, err := e.WaitFor(within(t), id, regexp.MustCompile(pattern)); line != want || err != nil {
			t.Errorf("%q: %q, %v", pattern, line, err)
		}
	}

	spec := helper("flood", "1000")
	spec.OutputLimit = 160
	evicted := start(t, e, spec)
	must(e.Wait(within(t), evicted))(t)
	if line, err := e.WaitFor(within(t), evicted, regexp.MustCompile("0$")); line != "000000000000990" || err != nil {
		t.Errorf("of the last ten lines: %q, %v", line, err)
	}
}

func TestWaitForWaitsForALineToCome(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, withStdin(procession.Spec{Command: "cat"}))
	lines := make(chan string)
	go func() {
		line, err := e.WaitFor(within(t), id, regexp.MustCompile("^listening on .*[0-9]$"))
		if err != nil {
			t.Error(err)
		}
		lines <- line
	}()
	for _, piece := range []string{"listening\n", "listening ", "on :", "8080\n"} {
		must(e.Write(within(t), id, []byte(piece)))(t)
	}
	if line := <-lines; line != "listening on :8080" {
		t.Errorf("%q", line)
	}
}

func TestWaitForOfALineThatNeverComes(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	id := start(t, e, withStdin(procession.Shell("echo one; read line; printf two; exit 3")))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if line, err := e.WaitFor(ctx, id, regexp.MustCompile("three")); line != "" || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while it runs: %q, %v", line, err)
	}
	failed := make(chan error)
	go func() {
		_, err := e.WaitFor(within(t), id, regexp.MustCompile("three"))
		failed <- err
	}()
	if err := e.CloseStdin(within(t), id); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"it has ended meanwhile": <-failed, "it had ended": func() error {
		_, err := e.WaitFor(within(t), id, regexp.MustCompile("three"))
		return err
	}()} {
		if !errors.Is(err, procession.ErrExited) || !strings.Contains(err.Error(), "three") || !strings.Contains(err.Error(), "exit status 3") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := e.WaitFor(within(t), id, nil); !errors.Is(err, procession.ErrInvalidRequest) {
		t.Errorf("no expression: %v", err)
	}
}

// A read that waits is an entry in a list, and no goroutine.
func TestWaitingReadsTakeNoGoroutine(t *testing.T) {
	e := newEngine(t)
	id := start(t, e, withStdin(procession.Spec{Command: "cat"}))
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
	if n := settledGoroutines(before); n > before+5 {
		t.Errorf("%d goroutines, and %d before %d reads were waiting", n, before, reads)
	}
	must(e.Write(within(t), id, []byte("x")))(t)
	for range reads {
		if chunk, ok := m.next(t).(*messages.Chunk); !ok || string(bytesOf(chunk.Segments)) != "x" {
			t.Fatalf("%+v", chunk)
		}
	}
}

func TestALineDoesNotGoOnInTheNextIncarnation(t *testing.T) {
	t.Parallel()
	for first, begins := range map[string]int64{"partial": 7, "": 0} {
		e := newEngine(t)
		file := filepath.Join(t.TempDir(), "ran")
		spec := procession.Shell(fmt.Sprintf(`if [ -e %q ]; then echo ready; exec sleep 1000; fi; touch %q; printf '%s'; exit 1`, file, file, first))
		spec.Restart = quick
		id := start(t, e, spec)
		patterns := []string{"ready"}
		if first != "" {
			patterns = append(patterns, first)
		}
		for _, want := range patterns {
			if line, err := e.WaitFor(within(t), id, regexp.MustCompile("^"+want+"$")); line != want || err != nil {
				t.Errorf("after %q: %q, %v", first, line, err)
			}
		}
		if got := info(t, e, id); got.Restarts != 1 || got.Mark != begins || got.Incarnations[0].Mark != 0 {
			t.Errorf("after %q: %+v", first, got)
		}
		for cursor := range begins + 7 {
			for _, most := range []int{0, 1, 7, 8} {
				o := procession.ReadOptions{Cursor: cursor, MaxBytes: most}
				chunk := read(t, e, id, o)
				var want []int64
				if begins > 0 && cursor <= begins && begins < chunk.Next {
					want = []int64{begins}
				}
				if !slices.Equal(chunk.Marks, want) {
					t.Errorf("after %q, %+v: marks %v, want %v", first, o, chunk.Marks, want)
				}
			}
		}
	}
}

func TestMarksTellWhereEachIncarnationBegins(t *testing.T) {
	t.Parallel()
	e := newEngine(t)
	spec := counting(t, `5) printf last; exec sleep 1000;; *) printf more; exit 1;;`)
	spec.Restart = quick
	id := start(t, e, spec)
	if line, err := e.WaitFor(within(t), id, regexp.MustCompile("^last$")); line != "last" || err != nil {
		t.Errorf("%q, %v", line, err)
	}
	chunk := read(t, e, id, procession.ReadOptions{})
	if want := []int64{10, 20, 30, 40}; !slices.Equal(chunk.Marks, want) {
		t.Errorf("marks %v of %q, want %v", chunk.Marks, bytesOf(chunk.Segments), want)
	}
	for _, mark := range chunk.Marks { // where an incarnation begins, a segment does
		if !slices.ContainsFunc(chunk.Segments, func(s procession.Segment) bool { return s.Offset == mark }) {
			t.Errorf("no segment begins at mark %d: %+v", mark, chunk.Segments)
		}
	}
}

//go:build linux

package procession_test

import (
	"context"
	"errors"
	"regexp"
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

package acpterm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/coder/acp-go-sdk"
	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// newTerminals are those of an engine of their own, for which ctx is good.
func newTerminals(t *testing.T) (ctx context.Context, eng *procession.Engine, terms *Terminals) {
	t.Helper()
	eng, err := procession.New(procession.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(func() {
		eng.Shutdown(ctx)
		cancel()
	})
	return ctx, eng, New(eng)
}

// EndSession waits for a terminal that is being created, and then releases it.
func TestEndSessionWaitsForCreations(t *testing.T) {
	ctx, eng, terms := newTerminals(t)

	creation := terms.begin("s")
	done := make(chan error, 1)
	go func() { done <- terms.EndSession(ctx, "s") }()
	for !terms.ended(creation) {
		time.Sleep(time.Millisecond)
	}
	later := terms.begin("s") // is not waited for
	if later == creation {
		t.Error("a creation after the end of its session is taken for one before")
	}
	id, err := eng.Start(ctx, procession.Spec{Command: "sleep", Args: []string{"1000"}, Labels: terms.labels("s")})
	if err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		t.Fatalf("EndSession has returned before the terminal was created: %v", err)
	default:
	}
	terms.finish("s", creation)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := eng.Info(ctx, id); !errors.Is(err, procession.ErrNotFound) {
		t.Errorf("the terminal after EndSession: %v", err)
	}
	if terms.ended(later) {
		t.Error("a creation after the end of its session is refused")
	}
	terms.finish("s", later)
	if len(terms.creating) != 0 {
		t.Errorf("something is kept of the session: %v", terms.creating)
	}
}

// However often a session is ended, each end waits for the terminals that were
// being created before it.
func TestEverySessionEndWaitsForCreations(t *testing.T) {
	ctx, _, terms := newTerminals(t)
	cancelled, cancelNow := context.WithCancel(ctx)
	cancelNow()

	first := terms.begin("s")
	if err := terms.EndSession(cancelled, "s"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	second := terms.begin("s")
	for range 3 {
		if err := terms.settle(cancelled, "s"); !errors.Is(err, context.Canceled) {
			t.Errorf("it does not wait: %v", err)
		}
	}
	if len(terms.creating) != 1 { // for EndAllSessions
		t.Errorf("the sessions are %v", terms.creating)
	}
	var ends [2]chan error
	for i := range ends {
		ends[i] = make(chan error, 1)
		go func() { ends[i] <- terms.EndSession(ctx, "s") }()
	}
	terms.finish("s", second)
	for _, end := range ends {
		select {
		case err := <-end:
			t.Errorf("it has returned while a terminal was being created: %v", err)
		default:
		}
	}
	terms.finish("s", first)
	for _, end := range ends {
		if err := <-end; err != nil {
			t.Error(err)
		}
	}
	if len(terms.creating) != 0 {
		t.Errorf("something is kept of the session: %v", terms.creating)
	}
}

func TestEndSessionStopsWaitingWithItsContext(t *testing.T) {
	terms := New(nil)
	creation := terms.begin("s")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := terms.EndSession(ctx, "s"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if !terms.ended(creation) {
		t.Error("the creation does not learn that its session has ended")
	}
	terms.finish("s", creation)
}

// TestCannotStart: what the system says of a start, as its agent is told it.
func TestCannotStart(t *testing.T) {
	for errno, want := range map[syscall.Errno]int{
		syscall.ENOENT: codeNotFound, syscall.EACCES: codeInvalidParams, syscall.EPERM: codeInvalidParams,
		syscall.ENOTDIR: codeInvalidParams, syscall.ELOOP: codeInvalidParams, syscall.ENAMETOOLONG: codeInvalidParams,
		syscall.EAGAIN: codeInternal, syscall.ENOMEM: codeInternal,
	} {
		err := cannotStart(acp.CreateTerminalRequest{}, &messages.Error{Code: messages.CodeStart, Errno: errno, Message: "start"})
		assert.ErrorContains(t, err, fmt.Sprintf(`"code":%d`, want), "%v", errno)
	}
}

// TestMaxOutput: an agent gets what the host's ceiling leaves.
func TestMaxOutput(t *testing.T) {
	for _, test := range []struct {
		options    []Option
		asked, got int
	}{
		{nil, 5, 5},
		{nil, DefaultMaxOutput, DefaultMaxOutput},
		{nil, DefaultMaxOutput + 1, DefaultMaxOutput},
		{nil, math.MaxInt, DefaultMaxOutput},
		{[]Option{WithMaxOutput(1000)}, math.MaxInt, 1000},
		{[]Option{WithMaxOutput(1000)}, 999, 999},
		{[]Option{WithMaxOutput(0)}, math.MaxInt, DefaultMaxOutput},
		{[]Option{WithMaxOutput(32 << 20)}, 20 << 20, 20 << 20},
	} {
		spec, err := New(nil, test.options...).spec(acp.CreateTerminalRequest{Command: "true", OutputByteLimit: &test.asked})
		assert.NoError(t, err)
		assert.EqualValues(t, test.got, spec.OutputLimit, "%+v", test)
		assert.Equal(t, strconv.Itoa(test.got), spec.Labels[LabelOutputLimit], "%+v", test)
	}
}

func FuzzTail(f *testing.F) {
	f.Add("aé€😀", 5)
	f.Fuzz(func(t *testing.T, text string, limit int) {
		text = procession.Output{Segments: []procession.Segment{{Data: []byte(text)}}}.Combined()
		limit = max(limit, -limit, 0)
		want := ""
		for i := range text {
			if len(text)-i <= limit {
				want = text[i:]
				break
			}
		}
		if got := tail(text, limit); got != want {
			t.Errorf("tail(%q, %d) is %q, want %q", text, limit, got, want)
		}
	})
}

func TestStatus(t *testing.T) {
	code, signal := status(procession.Exit{Code: -1, Cause: procession.CauseCrashed})
	if code != nil || signal != nil {
		t.Errorf("of an exit without code and signal: %v %v", code, signal)
	}
}

package acpterm

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"syscall"
	"testing"

	"github.com/coder/acp-go-sdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
	"github.com/procession-go/procession/messages"
)

// EndSession waits for a terminal that is being created, and then releases it.
func TestEndSessionWaitsForCreations(t *testing.T) {
	ctx, eng := testkit.Within(t), enginetest.New(t)
	terms := New(eng)

	creation := terms.begin("s")
	done := make(chan error, 1)
	go func() { done <- terms.EndSession(ctx, "s") }()
	testkit.Eventually(t, func(c *assert.CollectT) {
		assert.True(c, terms.ended(creation), "the creation does not learn that its session ends")
	})
	later := terms.begin("s") // is not waited for
	assert.NotSame(t, creation, later, "a creation after the end of its session is taken for one before")
	id := enginetest.Start(t, eng, procession.Spec{Command: "sleep", Args: []string{"1000"}, Labels: terms.labels("s")})
	assert.Empty(t, done, "EndSession has returned before the terminal was created")
	terms.finish("s", creation)
	require.NoError(t, <-done)
	_, err := eng.Info(ctx, id)
	assert.ErrorIs(t, err, procession.ErrNotFound, "the terminal after EndSession")
	assert.False(t, terms.ended(later), "a creation after the end of its session is refused")
	terms.finish("s", later)
	assert.Empty(t, terms.creating, "something is kept of the session")
}

// However often a session is ended, each end waits for the terminals that were
// being created before it.
func TestEverySessionEndWaitsForCreations(t *testing.T) {
	ctx, terms := testkit.Within(t), New(enginetest.New(t))
	cancelled, cancelNow := context.WithCancel(ctx)
	cancelNow()

	first := terms.begin("s")
	assert.ErrorIs(t, terms.EndSession(cancelled, "s"), context.Canceled)
	second := terms.begin("s")
	for range 3 {
		assert.ErrorIs(t, terms.settle(cancelled, "s"), context.Canceled, "it does not wait")
	}
	assert.Len(t, terms.creating, 1, "for EndAllSessions")
	var ends [2]chan error
	for i := range ends {
		ends[i] = make(chan error, 1)
		go func() { ends[i] <- terms.EndSession(ctx, "s") }()
	}
	terms.finish("s", second)
	for _, end := range ends {
		assert.Empty(t, end, "it has returned while a terminal was being created")
	}
	terms.finish("s", first)
	for _, end := range ends {
		assert.NoError(t, <-end)
	}
	assert.Empty(t, terms.creating, "something is kept of the session")
}

func TestEndSessionStopsWaitingWithItsContext(t *testing.T) {
	terms := New(nil)
	creation := terms.begin("s")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	assert.ErrorIs(t, terms.EndSession(ctx, "s"), context.Canceled)
	assert.True(t, terms.ended(creation), "the creation does not learn that its session has ended")
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
		assert.Equal(t, want, tail(text, limit), "tail(%q, %d)", text, limit)
	})
}

func TestStatus(t *testing.T) {
	code, signal := status(procession.Exit{Code: -1, Cause: procession.CauseCrashed})
	assert.Nil(t, code, "of an exit without code and signal")
	assert.Nil(t, signal, "of an exit without code and signal")
}

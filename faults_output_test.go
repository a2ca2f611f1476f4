//go:build linux

package procession_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

func TestFaultCombinedIsInOrderOfArrival(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, withStdin(helper("alternate")))
	var combined, stdout, stderr string
	for i := range 20 {
		write(t, e, id, "next\n")
		line := fmt.Sprintln(i)
		for end := int64(len(combined) + len(line)); enginetest.Info(t, e, id).OutputBytes < end; {
			read(t, e, id, procession.ReadOptions{Cursor: int64(len(combined)), Wait: -1})
		}
		combined += line
		if i%2 == 0 {
			stdout += line
		} else {
			stderr += line
		}
	}
	out := enginetest.Output(t, e, id)
	assert.Equal(t, combined, out.Combined())
	assert.Equal(t, stdout, out.Stdout())
	assert.Equal(t, stderr, out.Stderr())
}

func TestFaultTruncationIsByBytesAtARuneBoundary(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for limit := 1; limit <= 12; limit++ {
		whole := "  aé€😀  é€😀 \n"
		_, out := enginetest.Run(t, e, procession.Spec{Command: "printf", Args: []string{whole}, OutputLimit: int64(limit)})
		got := out.Combined()
		assert.LessOrEqual(t, len(got), limit)
		assert.GreaterOrEqual(t, len(got), limit-3)
		assert.True(t, utf8.ValidString(got), "limit %d: %q", limit, got)
		assert.NotContains(t, got, "\uFFFD", "limit %d", limit)
		endsWith(t, whole, got, "limit %d", limit)
		assert.True(t, out.Truncated(), "limit %d", limit)
		assert.EqualValues(t, len(whole)-len(got), out.Dropped, "limit %d: %q", limit, got)
	}
}

func TestFaultTruncationStripsNothing(t *testing.T) {
	t.Parallel()
	spec := procession.Spec{Command: "printf", Args: []string{"0123456789\n\n   x \n"}, OutputLimit: 8}
	_, out := enginetest.Run(t, enginetest.New(t), spec)
	assert.Equal(t, "\n\n   x \n", out.Stdout())
}

func TestFaultTruncationCutsStderrToo(t *testing.T) {
	t.Parallel()
	spec := procession.Shell("echo small; seq 1 20000 >&2")
	spec.OutputLimit = 1000
	_, out := enginetest.Run(t, enginetest.New(t), spec)
	assert.LessOrEqual(t, len(out.Combined()), 1000)
	assert.GreaterOrEqual(t, len(out.Combined()), 997)
	endsWith(t, out.Stderr(), "\n20000\n")
	assert.True(t, out.Truncated())
}

func TestFaultAChunkBeyondTheLimitCostsNoMoreThanOthers(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	spec := procession.Shell("head -c 512M /dev/zero") // at 0.1 GB/s and less, this takes too long
	spec.OutputLimit = 4 << 20
	begin := time.Now()
	_, out := enginetest.Run(t, e, spec)
	assert.EqualValues(t, 512<<20, out.Dropped+int64(len(bytesOf(out.Segments))), "bytes dropped and retained")
	t.Logf("%.1f GB/s", 0.5/time.Since(begin).Seconds())
}

func TestFaultACharacterSplitBetweenReadsStaysWhole(t *testing.T) {
	t.Parallel()
	text := "aé€😀z€"
	_, out := enginetest.Run(t, enginetest.New(t), helper("split", text))
	assert.Equal(t, text, out.Stdout())
	for _, s := range out.Segments {
		assert.True(t, utf8.Valid(s.Data), "a segment ends inside a character: %q", s.Data)
	}
}

func TestFaultAnIncompleteCharacterAtTheEndIsKept(t *testing.T) {
	t.Parallel()
	_, out := enginetest.Run(t, enginetest.New(t), helper("split", "a€"[:3]))
	assert.Equal(t, "a€"[:3], string(bytesOf(out.Segments)))
	assert.Equal(t, "a\uFFFD\uFFFD", out.Stdout(), "as it is shown")
}

func TestFaultWithoutALimitOneMebibyteIsKept(t *testing.T) {
	t.Parallel()
	_, out := enginetest.Run(t, enginetest.New(t), procession.Shell("head -c 3M /dev/zero; printf end"))
	got := string(bytesOf(out.Segments))
	assert.Equal(t, 1<<20, len(got), "bytes retained")
	assert.EqualValues(t, 2<<20+3, out.Dropped)
	endsWith(t, got, "\x00end")
}

func TestFaultUnlimitedKeepsEverything(t *testing.T) {
	t.Parallel()
	spec := procession.Shell("head -c 3M /dev/zero; printf end")
	spec.OutputLimit = procession.Unlimited
	_, out := enginetest.Run(t, enginetest.New(t), spec)
	assert.Equal(t, 3<<20+3, len(bytesOf(out.Segments)), "bytes retained")
	assert.False(t, out.Truncated(), "%d bytes were dropped", out.Dropped)
}

func TestFaultKillDrainsTheTail(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t, procession.WithGrace(testkit.Patience))
	const lines = 20_000
	id := enginetest.Start(t, e, helper("last-words", fmt.Sprint(lines)))
	enginetest.AwaitText(t, e, id, "ready")
	exit := enginetest.Kill(t, e, id)
	out := enginetest.Output(t, e, id)
	assert.Equal(t, 7, exit.Code)
	assert.Equal(t, lines, strings.Count(out.Stdout(), "last words"), "lines")
	endsWith(t, out.Stdout(), fmt.Sprintf("last words %d\n", lines-1))
}

func TestFaultWaitDrainsTheTail(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	for i := range 50 {
		_, out := enginetest.Run(t, e, procession.Shell("seq 1 5000; echo the end; echo and this >&2"))
		require.True(t, endsWith(t, out.Stdout(), "\n5000\nthe end\n", "run %d", i))
		require.Equal(t, "and this\n", out.Stderr(), "run %d", i)
	}
}

func TestFaultOutputStreams(t *testing.T) {
	t.Parallel()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, procession.Spec{Command: "cat", Stdin: true})
	words := []string{"one", "two", "three"}
	write(t, e, id, words[0])
	var got []string
	for chunk, err := range e.Follow(testkit.Within(t), id, procession.ReadOptions{}) {
		require.NoError(t, err)
		if chunk.EOF {
			break
		}
		got = append(got, string(bytesOf(chunk.Segments)))
		if len(got) < len(words) {
			write(t, e, id, words[len(got)])
		} else {
			require.NoError(t, e.CloseStdin(testkit.Within(t), id))
		}
	}
	assert.Equal(t, words, got, "each came while it ran")
}

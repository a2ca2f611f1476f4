package acpterm_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coder/acp-go-sdk"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/adapters/acpterm"
	"github.com/procession-go/procession/internal/testkit"
)

var anything = regexp.MustCompile("")

func limited(r acp.CreateTerminalRequest, limit int) acp.CreateTerminalRequest {
	r.OutputByteLimit = &limit
	return r
}

// printed is a request that prints bytes, whatever they are.
func printed(bytes string) acp.CreateTerminalRequest {
	var octal strings.Builder
	for i := range len(bytes) {
		fmt.Fprintf(&octal, `\%03o`, bytes[i])
	}
	return acp.CreateTerminalRequest{SessionId: session, Command: "printf", Args: []string{octal.String()}}
}

// longestSuffix is the longest end of text that fits and begins with a whole character.
func longestSuffix(text string, limit int) string {
	best := ""
	for i := range text {
		if s := text[i:]; len(s) <= limit && len(s) > len(best) {
			best = s
		}
	}
	return best
}

// printedAll is the answer about a command that has succeeded.
func printedAll(output string, truncated bool) acp.TerminalOutputResponse {
	return acp.TerminalOutputResponse{Output: output, Truncated: truncated, ExitStatus: acp.Ptr(exited(0))}
}

// Every limit, so that each byte of each character is once the first that is
// too many.
func TestEveryLimit(t *testing.T) {
	b := newBench(t)
	texts := map[string]string{
		"one to four bytes": "aé€😀ñ漢𝄞z\n",
		"combining":         "e\u0301👩\u200d💻",
		"leading blanks":    "  \n\t  x",
	}
	for name, text := range texts {
		t.Run(name, func(t *testing.T) {
			for limit := range len(text) + 2 {
				want := longestSuffix(text, limit)
				assert.Equal(t, printedAll(want, len(want) < len(text)), b.run(t, limited(printed(text), limit)), "limit %d", limit)
			}
		})
	}
}

// A byte that is not UTF-8 takes three as U+FFFD: the limit is about those.
func TestLimitOfInvalidText(t *testing.T) {
	b := newBench(t)
	const bytes, text = "\xff\xc3x\xe2\x82", "��x��"
	for limit := range len(text) + 2 {
		out := b.run(t, limited(printed(bytes), limit))
		assert.LessOrEqual(t, len(out.Output), limit)
		assert.True(t, utf8.ValidString(out.Output), "limit %d: %q", limit, out.Output)
		want := longestSuffix(text, limit)
		assert.Equal(t, printedAll(want, want != text), out, "limit %d", limit)
	}
	assert.Equal(t, printedAll(text, false), b.run(t, printed(bytes)), "without a limit")
}

// What a model must not be deceived by is shown as what it is, within the limit.
func TestWhatDeceivesIsShown(t *testing.T) {
	b := newBench(t)
	const text, want = "a\u202eb\u200f\U000e0041👩\u200d💻❤\ufe0f\n", "a<U+202E>b<U+200F><U+E0041>👩\u200d💻❤\ufe0f\n"
	assert.Equal(t, printedAll(want, false), b.run(t, printed(text)))
	for limit := range len(want) + 2 {
		out := b.run(t, limited(printed(text), limit))
		assert.LessOrEqual(t, len(out.Output), limit)
		assert.True(t, strings.HasSuffix(want, out.Output), "limit %d: %q", limit, out.Output)
		assert.Equal(t, out.Output != want, out.Truncated, "limit %d: %q", limit, out.Output)
		if limit >= len(text) {
			assert.Equal(t, longestSuffix(want, limit), out.Output, "limit %d", limit)
		}
	}
	b = newBench(t, procession.WithOutputLimit(20))
	out := b.run(t, printed("\u202e\u202e\u202e\u202e"))
	assert.LessOrEqual(t, len(out.Output), 20)
	assert.True(t, out.Truncated, "%q", out.Output)
}

// An agent that wants everything gets as much as the host gives.
func TestTheHostHasACeiling(t *testing.T) {
	testkit.Needs(t, "seq")
	b := newBench(t)
	b.terms = acpterm.New(b.eng, acpterm.WithMaxOutput(1000))
	ctx := testkit.Within(t)
	created, err := b.terms.CreateTerminal(ctx, limited(shell("seq 100000"), math.MaxInt))
	require.NoError(t, err)
	_, err = b.terms.WaitForTerminalExit(ctx, acp.WaitForTerminalExitRequest{SessionId: session, TerminalId: created.TerminalId})
	require.NoError(t, err)
	out, err := b.terms.TerminalOutput(ctx, acp.TerminalOutputRequest{SessionId: session, TerminalId: created.TerminalId})
	require.NoError(t, err)
	assert.Len(t, out.Output, 1000)
	assert.True(t, out.Truncated)
	assert.True(t, strings.HasSuffix(out.Output, "100000\n"), "%q", out.Output)
}

func TestLimitZero(t *testing.T) {
	b := newBench(t)
	assert.Equal(t, printedAll("", true), b.run(t, limited(shell("echo x"), 0)))
	assert.Equal(t, printedAll("", false), b.run(t, limited(shell(":"), 0)), "of a command without output")
}

// While it runs the limit holds as well, and a reader never sees half a
// character.
func TestLimitWhileItRuns(t *testing.T) {
	b := newBench(t)
	const limit = 1000
	id := b.create(t, limited(shell("while :; do echo 漢字かな交じり文😀; done"), limit))
	truncated := 0
	for i := 0; i < 200 || truncated == 0; i++ {
		out := b.output(t, id)
		require.LessOrEqual(t, len(out.Output), limit)
		require.True(t, utf8.ValidString(out.Output), "%q", out.Output)
		require.NotContains(t, out.Output, string(utf8.RuneError))
		require.Nil(t, out.ExitStatus)
		if out.Truncated {
			truncated++
		}
	}
	b.kill(t, id)
	out := b.output(t, id)
	assert.True(t, out.Truncated, "in the end; it was %d times before", truncated)
	assert.GreaterOrEqual(t, len(out.Output), limit-4)
}

func TestBigOutput(t *testing.T) {
	// 4,000,000 bytes, each line with its number.
	big := shell(`awk 'BEGIN { for (i = 0; i < 400000; i++) printf "%09d\n", i }'`)
	line := func(i int) string { return fmt.Sprintf("%09d\n", i) }
	tests := []struct {
		name    string
		options []procession.Option
		limit   *int
		want    int // bytes
	}{
		{"the engine's default", nil, nil, procession.DefaultOutputLimit},
		{"an engine's limit", []procession.Option{procession.WithOutputLimit(1000)}, nil, 1000},
		{"more than the engine's limit", []procession.Option{procession.WithOutputLimit(1000)}, acp.Ptr(1_000_000), 1_000_000},
		{"exactly as much", nil, acp.Ptr(4_000_000), 4_000_000},
		{"no limit", []procession.Option{procession.WithOutputLimit(procession.Unlimited)}, nil, 4_000_000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, test.options...)
			r := big
			r.OutputByteLimit = test.limit
			out := b.run(t, r)
			require.Equal(t, test.want, len(out.Output))
			require.Equal(t, test.want < 4_000_000, out.Truncated)
			lines := strings.SplitAfter(out.Output, "\n")
			whole := lines[1 : len(lines)-1] // the first may be cut, after the last is nothing
			for i, l := range whole {
				if want := line(400_000 - len(whole) + i); l != want { // of 400,000 lines: an assertion of each takes long
					require.Equal(t, want, l, "line %d", i)
				}
			}
		})
	}
}

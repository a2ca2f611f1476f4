package acpterm_test

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/coder/acp-go-sdk"

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

// suffixes are the ends of text that begin with a whole character.
func longestSuffix(text string, limit int) string {
	best := ""
	for i := range text {
		if s := text[i:]; len(s) <= limit && len(s) > len(best) {
			best = s
		}
	}
	return best
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
				out := b.run(t, limited(printed(text), limit))
				if want := longestSuffix(text, limit); out.Output != want || out.Truncated != (len(want) < len(text)) {
					t.Errorf("limit %d: %q, truncated %v; want %q", limit, out.Output, out.Truncated, want)
				}
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
		// The engine has retained limit bytes of bytes, which may be less than
		// that of text, never more.
		if !strings.HasSuffix(text, out.Output) || len(out.Output) > limit || !utf8.ValidString(out.Output) {
			t.Errorf("limit %d: %q", limit, out.Output)
		}
		if out.Truncated != (out.Output != text) {
			t.Errorf("limit %d: %q, truncated %v", limit, out.Output, out.Truncated)
		}
		if want := longestSuffix(text, limit); out.Output != want {
			t.Errorf("limit %d: %q, want %q", limit, out.Output, want)
		}
	}
	if out := b.run(t, printed(bytes)); out.Output != text || out.Truncated {
		t.Errorf("without a limit: %q, truncated %v", out.Output, out.Truncated)
	}
}

// What a model must not be deceived by is shown as what it is, within the limit.
func TestWhatDeceivesIsShown(t *testing.T) {
	b := newBench(t)
	const text, want = "a\u202eb\u200f\U000e0041👩\u200d💻❤\ufe0f\n", "a<U+202E>b<U+200F><U+E0041>👩\u200d💻❤\ufe0f\n"
	if out := b.run(t, printed(text)); out.Output != want || out.Truncated {
		t.Errorf("%q, truncated %v", out.Output, out.Truncated)
	}
	for limit := range len(want) + 2 {
		out := b.run(t, limited(printed(text), limit))
		if len(out.Output) > limit || !strings.HasSuffix(want, out.Output) || out.Truncated != (out.Output != want) {
			t.Errorf("limit %d: %q, truncated %v", limit, out.Output, out.Truncated)
		}
		if limit >= len(text) && out.Output != longestSuffix(want, limit) {
			t.Errorf("limit %d: %q", limit, out.Output)
		}
	}
	b = newBench(t, procession.WithOutputLimit(20))
	if out := b.run(t, printed("\u202e\u202e\u202e\u202e")); len(out.Output) > 20 || !out.Truncated {
		t.Errorf("%q, truncated %v", out.Output, out.Truncated)
	}
}

// An agent that wants everything gets as much as the host gives.
func TestTheHostHasACeiling(t *testing.T) {
	testkit.Needs(t, "seq")
	b := newBench(t)
	b.terms = acpterm.New(b.eng, acpterm.WithMaxOutput(1000))
	created := must(b.terms.CreateTerminal(within(t), limited(shell("seq 100000"), math.MaxInt)))(t)
	must(b.terms.WaitForTerminalExit(within(t), acp.WaitForTerminalExitRequest{SessionId: session, TerminalId: created.TerminalId}))(t)
	out := must(b.terms.TerminalOutput(within(t), acp.TerminalOutputRequest{SessionId: session, TerminalId: created.TerminalId}))(t)
	if len(out.Output) != 1000 || !out.Truncated || !strings.HasSuffix(out.Output, "100000\n") {
		t.Errorf("%d bytes, truncated %v", len(out.Output), out.Truncated)
	}
}

func TestLimitZero(t *testing.T) {
	b := newBench(t)
	if out := b.run(t, limited(shell("echo x"), 0)); out.Output != "" || !out.Truncated {
		t.Errorf("output %q, truncated %v; want nothing, truncated", out.Output, out.Truncated)
	}
	if out := b.run(t, limited(shell(":"), 0)); out.Output != "" || out.Truncated {
		t.Errorf("of a command without output: %q, truncated %v", out.Output, out.Truncated)
	}
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
		if len(out.Output) > limit || !utf8.ValidString(out.Output) || strings.ContainsRune(out.Output, utf8.RuneError) || out.ExitStatus != nil {
			t.Fatalf("%d bytes, exit status %+v: %q", len(out.Output), out.ExitStatus, out.Output)
		}
		if out.Truncated {
			truncated++
		}
	}
	b.kill(t, id)
	if out := b.output(t, id); !out.Truncated || len(out.Output) < limit-4 {
		t.Errorf("%d bytes in the end, truncated %v (and %d times before)", len(out.Output), out.Truncated, truncated)
	}
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
			if len(out.Output) != test.want || out.Truncated != (test.want < 4_000_000) {
				t.Fatalf("%d bytes, truncated %v; want %d", len(out.Output), out.Truncated, test.want)
			}
			lines := strings.SplitAfter(out.Output, "\n")
			whole := lines[1 : len(lines)-1] // the first may be cut, after the last is nothing
			for i, l := range whole {
				if want := line(400_000 - len(whole) + i); l != want {
					t.Fatalf("line %d is %q, want %q", i, l, want)
				}
			}
		})
	}
}

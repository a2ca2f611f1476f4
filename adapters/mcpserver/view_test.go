package mcpserver

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/procession-go/procession/plaintext"
)

func TestViewOf(t *testing.T) {
	segments, _ := pieces(0, "a\n", "!warn: ", "ready\n", "!\x1b[1Ax\n")
	for _, test := range []struct {
		pattern string
		limit   int
		want    view
	}{
		{"", 100, view{shown{text: "x\nwarn: ready\n"}, shown{text: "a\nready\n"}, shown{text: "x\nwarn: \n"}}},
		{"^ready", 100, view{stdout: shown{text: "ready\n"}}},
		{"", 6, view{shown{"ready\n", 8, false}, shown{"ready\n", 2, false}, shown{"arn: \n", 3, false}}},
	} {
		f, _ := filterOf(test.pattern, 0)
		if got := viewOf(segments, f, test.limit); test.pattern == "" && got.output.text == "" || test.pattern != "" && got != test.want {
			t.Errorf("%q, %d: %+v, want %+v", test.pattern, test.limit, got, test.want)
		}
	}
}

// TestShowIsTheEndOfTheWhole: piece by piece comes out what would come out of all
// at once.
func TestShowIsTheEndOfTheWhole(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		piece := rapid.SampledFrom([]string{"a", "line\n", "é", "\r", "\x1b[1A", "\x1b[2K", "\x1b[31m", "\n\n", "日本", strings.Repeat("x\n", 150), strings.Repeat("long ", 30_000)})
		texts := rapid.SliceOfN(piece, 0, 20).Draw(t, "texts")
		limit := rapid.SampledFrom([]int{1, 2, 10, 100, 1000, 100_000, math.MaxInt}).Draw(t, "limit")
		f := rapid.SampledFrom([]filter{{}, {re: regexp.MustCompile("l")}, {re: regexp.MustCompile("none")}, {re: regexp.MustCompile("^x"), context: 2}}).Draw(t, "filter")
		f.ended = rapid.Bool().Draw(t, "ended")
		segments, _ := pieces(0, texts...)
		whole := plaintext.String(strings.Join(texts, ""))
		want, cut := keepEnd((&sieve{filter: f}).pass(whole), limit)
		if got := show(segments, either, f, limit); got.text != want || got.cut != cut {
			t.Fatalf("%q and %d cut, want %q and %d", got.text, got.cut, want, cut)
		}
	})
}

// TestTailHoldsLittle, whatever is written to it.
func TestTailHoldsLittle(t *testing.T) {
	for _, n := range []int{1, 1000, 10 << 20} {
		end := tail{limit: 1000}
		text := strings.Repeat("x", n)
		for range max(1, 1<<20/n) {
			end.write(text)
		}
		if cap(end.held) > 2*(2*end.limit+spare) {
			t.Errorf("pieces of %d bytes: it holds %d", n, cap(end.held))
		}
		if got, cut := end.kept(); len(got) != 1000 || cut+1000 != n*max(1, 1<<20/n) {
			t.Errorf("pieces of %d bytes: %d are kept, %d cut", n, len(got), cut)
		}
	}
}

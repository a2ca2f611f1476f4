package mcpserver

import (
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		{"", 100, view{shown{text: "a\nxarn: ready\n"}, shown{text: "a\nready\n"}, shown{text: "warn: x\n"}}},
		{"^ready", 100, view{stdout: shown{text: "ready\n"}}},
		{"", 6, view{shown{"ready\n", 8, false}, shown{"ready\n", 2, false}, shown{"rn: x\n", 2, false}}},
	} {
		f, _ := filterOf(test.pattern, 0)
		assert.Equal(t, test.want, viewOf(segments, f, test.limit), "%q, %d", test.pattern, test.limit)
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
		got := show(segments, either, f, limit)
		require.Equal(t, want, got.text)
		require.Equal(t, cut, got.cut)
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
		assert.LessOrEqual(t, cap(end.held), 2*(2*end.limit+spare), "pieces of %d bytes", n)
		got, cut := end.kept()
		assert.Len(t, got, 1000, "pieces of %d bytes", n)
		assert.Equal(t, n*max(1, 1<<20/n), cut+1000, "pieces of %d bytes", n)
	}
}

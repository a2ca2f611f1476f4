package escape

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestNextIsTheParsers: who follows states alone is where the parser is.
func TestNextIsTheParsers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p Parser
		p.SetParamsSize(16)
		p.SetDataSize(1)
		state := parser.GroundState
		for _, c := range []byte(rapid.StringMatching(`(\x1b[\]P\[kX^_(m3;\\]|[a-z3;\x07\x18\x1b]){0,30}`).Draw(t, "text")) {
			p.Take(c)
			state = Next(state, c)
			require.Equal(t, p.StateName(), parser.StateNames[state], "after %q", c)
			require.Equal(t, p.State(), state, "after %q", c)
		}
	})
}

func TestWhatIsText(t *testing.T) {
	for _, test := range []struct{ in, text string }{
		{"\x1b[31m", ""},
		{"\x1b]0;title\a", ""},
		{"\x1b]0;title", ""},
		{"\x1b]0;title\n", "]0;title\n"},
		{"\x1bP1;2\xe6\xbc\xa2\n", "P1;2漢\n"},
		{"\x1bkvim\n", "kvim\n"},
		{"\x1b_" + strings.Repeat("x", Longest-1), ""},
		{"\x1b_" + strings.Repeat("x", Longest), "_" + strings.Repeat("x", Longest)},
	} {
		var p Parser
		p.SetParamsSize(16)
		p.SetDataSize(1)
		for _, c := range []byte(test.in) {
			p.Take(c)
		}
		assert.Equal(t, test.text, string(p.Text()), "%.20q", test.in)
		assert.Nil(t, p.Text())
	}
}

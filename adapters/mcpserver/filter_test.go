package mcpserver

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestFilterOf(t *testing.T) {
	for _, test := range []struct {
		pattern string
		context int
		wrong   string
	}{
		{"", 0, ""},
		{"a", 0, ""},
		{"a", 100, ""},
		{"a", 101, "context_lines is 101; it must be from 0 to 100"},
		{"a", -1, "context_lines is -1; it must be from 0 to 100"},
		{"", 1, "give filter_lines, too"},
		{"(", 1, "missing closing )"},
	} {
		_, err := filterOf(test.pattern, test.context)
		if test.wrong == "" {
			assert.NoError(t, err)
		} else {
			assert.ErrorContains(t, err, test.wrong)
		}
	}
}

func TestContext(t *testing.T) {
	const text = "1\n2\n3 x\n4\n5\n6\n7\n8 x\n9 x\n10\n11"
	for _, test := range []struct {
		pattern string
		context int
		ended   bool
		want    string
	}{
		{"x", 0, true, "3 x\n8 x\n9 x\n"},
		{"x", 1, true, "2\n3 x\n4\n--\n7\n8 x\n9 x\n10\n"},
		{"x", 2, true, "1\n2\n3 x\n4\n5\n6\n7\n8 x\n9 x\n10\n11"},
		{"x", 2, false, "1\n2\n3 x\n4\n5\n6\n7\n8 x\n9 x\n10\n"}, // the last may still match
		{"x", 100, true, text},
		{"^1$", 1, true, "1\n2\n"},
		{"^(1|5)$", 1, true, "1\n2\n--\n4\n5\n6\n"},
		{"^(1|4)$", 1, true, "1\n2\n3 x\n4\n5\n"},
		{"^11", 1, false, "10\n11"},
		{"none", 5, true, ""},
		{"", 0, true, text},
	} {
		f, err := filterOf(test.pattern, test.context)
		assert.NoError(t, err)
		f.ended = test.ended
		assert.Equal(t, test.want, (&sieve{filter: f}).pass(text), "%+v", test)
	}
}

// TestContextIsGreps: against a model that looks at all lines at once, in pieces or not.
func TestContextIsGreps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOf(rapid.SampledFrom([]string{"a\n", "b\n", "b\n", "b\n", "\n"})).Draw(t, "lines")
		f := filter{re: regexp.MustCompile("a"), context: rapid.IntRange(0, 4).Draw(t, "context"), ended: true}
		near := func(i int) bool {
			for j := max(0, i-f.context); j <= min(len(lines)-1, i+f.context); j++ {
				if lines[j] == "a\n" {
					return true
				}
			}
			return false
		}
		want, last := "", -1
		for i, line := range lines {
			if near(i) {
				if last >= 0 && last < i-1 && f.context > 0 {
					want += "--\n"
				}
				want += line
				last = i
			}
		}
		whole, pieces, got := sieve{filter: f}, sieve{filter: f}, ""
		for _, line := range lines {
			got += pieces.pass(line)
		}
		require.Equal(t, want, whole.pass(strings.Join(lines, "")))
		require.Equal(t, want, got, "in pieces")
	})
}

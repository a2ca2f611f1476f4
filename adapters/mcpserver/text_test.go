package mcpserver

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
)

func TestKeepEnd(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"", 1, ""},
		{"abc", 3, "abc"},
		{"abc", 2, "bc"},
		{"one\ntwo\nthree\n", 9, "three\n"},
		{"one\ntwo\nthree\n", 10, "two\nthree\n"},
		{"one\na very long line", 12, "ry long line"},
		{"a line\nx\n", 4, "x\n"},
		{"a line\nx\n", 2, "x\n"},
		{"äöü", 3, "ü"},
		{"äöü", 1, ""},
		{"日本語\n", 4, "語\n"},
	} {
		got, cut := keepEnd(test.text, test.limit)
		assert.Equal(t, test.want, got, "%q, %d", test.text, test.limit)
		assert.Equal(t, test.text[cut:], got, "%q, %d", test.text, test.limit)
	}
}

func FuzzKeepEnd(f *testing.F) {
	f.Add("one\ntwo\nthree", uint16(5))
	f.Fuzz(func(t *testing.T, text string, limit uint16) {
		text = strings.ToValidUTF8(text, "\uFFFD")
		got, cut := keepEnd(text, int(limit)+1)
		assert.LessOrEqual(t, len(got), int(limit)+1)
		assert.Equal(t, text[cut:], got)
		assert.True(t, utf8.ValidString(got), "%q", got)
	})
}

func TestCommandLine(t *testing.T) {
	for want, info := range map[string]procession.Info{
		"make && ls":     {Command: "/bin/sh", Args: []string{"-c", "make && ls"}},
		"/bin/sh -x f":   {Command: "/bin/sh", Args: []string{"-x", "f"}},
		"npm run dev":    {Command: "npm", Args: []string{"run", "dev"}},
		`echo '' 'a b'`:  {Command: "echo", Args: []string{"", "a b"}},
		`echo 'it'\''s'`: {Command: "echo", Args: []string{"it's"}},
	} {
		assert.Equal(t, want, commandLine(info), "%q %q", info.Command, info.Args)
	}
}

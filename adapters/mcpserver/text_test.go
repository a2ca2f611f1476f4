package mcpserver

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

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
		if got != test.want || test.text[cut:] != got {
			t.Errorf("%q, %d: %q, %d cut; want %q", test.text, test.limit, got, cut, test.want)
		}
	}
}

func FuzzKeepEnd(f *testing.F) {
	f.Add("one\ntwo\nthree", uint16(5))
	f.Fuzz(func(t *testing.T, text string, limit uint16) {
		text = strings.ToValidUTF8(text, "\uFFFD")
		got, cut := keepEnd(text, int(limit)+1)
		if len(got) > int(limit)+1 || text[cut:] != got || !utf8.ValidString(got) {
			t.Errorf("%q, %d: %q, %d", text, limit, got, cut)
		}
	})
}

func TestWithoutNulls(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":null,"b":{"c":null}}`: `{"b":{"c":null}}`,
		`{"a":"null"}`:              `{"a":"null"}`,
		`null`:                      `null`,
		`[null]`:                    `[null]`,
		``:                          ``,
	} {
		if got := string(withoutNulls(json.RawMessage(in))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[float64]time.Duration{0: 0, 0.5: 500 * time.Millisecond, 1e300: math.MaxInt64 / 2} {
		if got, err := seconds("x", in); err != nil || got != want {
			t.Errorf("%v: %v, %v", in, got, err)
		}
	}
	if _, err := seconds("wait_seconds", -0.1); err == nil || !strings.Contains(err.Error(), "wait_seconds") {
		t.Errorf("-0.1: %v", err)
	}
}

func TestCommandLine(t *testing.T) {
	for want, info := range map[string]procession.Info{
		"make && ls":     {Command: "/bin/sh", Args: []string{"-c", "make && ls"}},
		"/bin/sh -x f":   {Command: "/bin/sh", Args: []string{"-x", "f"}},
		"npm run dev":    {Command: "npm", Args: []string{"run", "dev"}},
		`echo '' 'a b'`:  {Command: "echo", Args: []string{"", "a b"}},
		`echo 'it'\''s'`: {Command: "echo", Args: []string{"it's"}},
	} {
		if got := commandLine(info); got != want {
			t.Errorf("%q %q: %s, want %s", info.Command, info.Args, got, want)
		}
	}
}

func TestUnknownProcess(t *testing.T) {
	var many []procession.Info
	for range 30 {
		many = append(many, procession.Info{ID: "proc_x", Command: "sleep", Args: []string{strings.Repeat("1", 100)}, State: procession.Running})
	}
	text := unknownProcess("proc_y", many).Error()
	if !strings.Contains(text, "10 older ones, proc_x (running: sleep 1") || len(text) > 3000 || strings.Count(text, "proc_x") != namedAtMost {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}

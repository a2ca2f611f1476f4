package mcpserver

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"
)

func TestWrongArguments(t *testing.T) {
	start, output, none := paramsSchema[startParams](facts(Options{})), paramsSchema[outputParams](facts(Options{})), paramsSchema[noParams](facts(Options{}))
	for _, test := range []struct {
		arguments string
		want      string // "" is no error
	}{
		{`{"command":"x"}`, ""},
		{`{"command":"x","args":[],"env":{},"stdin":false,"timeout_seconds":1.5,"output_limit":-1}`, ""},
		{`{"command":"x","args":["a"],"env":{"A":"b"},"output_limit":10.0}`, ""},
		{``, "the parameter command is missing"},
		{`{}`, "the parameter command is missing"},
		{`null`, "the parameter command is missing"},
		{`[]`, "the arguments are []; they must be an object"},
		{`"x"`, "they must be an object"},
		{`{"command":"x","directory":"/"}`, `there is no parameter "directory"; there are: args, command, cwd,`},
		{`{"command":5}`, "command is 5; it must be a string"},
		{`{"command":"x","args":"a b"}`, `args is "a b"; it must be a list of strings`},
		{`{"command":"x","args":["a",null]}`, "args[1] is null; it must be a string"},
		{`{"command":"x","env":{"A":null}}`, `env["A"] is null; it must be a string`},
		{`{"command":"x","env":{"PORT":80}}`, `env["PORT"] is 80; it must be a string`},
		{`{"command":"x","env":["A=b"]}`, "env is [\"A=b\"]; it must be an object of strings"},
		{`{"command":"x","stdin":"true"}`, `stdin is "true"; it must be the boolean true or false`},
		{`{"command":"x","timeout_seconds":"soon"}`, `timeout_seconds is "soon"; it must be a number`},
		{`{"command":"x","timeout_seconds":1e400}`, "timeout_seconds is 1e400; it must be a smaller number"},
		{`{"command":"x","output_limit":1e30}`, "output_limit is 1e30; it must be a smaller number"},
		{`{"command":"x","output_limit":1.5}`, "output_limit is 1.5; it must be a whole number"},
	} {
		switch err := wrongArguments(start, json.RawMessage(test.arguments)); {
		case err == nil && test.want == "":
		case err == nil || test.want == "" || !strings.Contains(err.Error(), test.want):
			t.Errorf("%s: %v, want %q", test.arguments, err, test.want)
		}
	}
	if err := wrongArguments(output, json.RawMessage(`{"process_id":"x","cursor":1e30}`)); err == nil || !strings.HasPrefix(err.Error(), "cursor is 1e30") {
		t.Error(err)
	}
	if err := wrongArguments(none, json.RawMessage(`{"all":true}`)); err == nil || !strings.Contains(err.Error(), `no parameter "all"; there are none`) {
		t.Error(err)
	}
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

package mcpserver

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		{`{"command":"x","timeout_seconds":1e-400}`, "timeout_seconds is 1e-400; it must be 0 or a number further from it"},
		{`{"command":"x","timeout_seconds":-0.001E-999}`, "must be 0 or a number further from it"},
		{`{"command":"x","timeout_seconds":-0.0e9}`, ""},
		{`{"command":"x","timeout_seconds":5e-324}`, ""},
		{`{"command":"x","timeout_seconds":"NaN"}`, `timeout_seconds is "NaN"; it must be a number`},
		{`{"command":"x","output_limit":1e30}`, "output_limit is 1e30; it must be a smaller number"},
		{`{"command":"x","output_limit":1.5}`, "output_limit is 1.5; it must be a whole number"},
	} {
		err := wrongArguments(start, json.RawMessage(test.arguments))
		if test.want == "" {
			assert.NoError(t, err, test.arguments)
		} else {
			assert.ErrorContains(t, err, test.want, test.arguments)
		}
	}
	err := wrongArguments(output, json.RawMessage(`{"process_id":"x","cursor":1e30}`))
	require.Error(t, err)
	assert.Regexp(t, "^cursor is 1e30", err.Error())
	assert.ErrorContains(t, wrongArguments(none, json.RawMessage(`{"all":true}`)), `no parameter "all"; there are none`)
}

func TestLenient(t *testing.T) {
	run, start := paramsSchema[runParams](facts(Options{})), paramsSchema[startParams](facts(Options{}))
	for in, want := range map[string]string{
		`{"command":"cat","stdin":"x\n"}`:          `{"command":"cat","input":"x\n"}`,
		`{"command":"cat","stdin":""}`:             `{"command":"cat","input":""}`,
		`{"command":"cat","stdin":"x","pty":null}`: `{"command":"cat","input":"x"}`,
		`{"command":"cat","stdin":true}`:           `{"command":"cat","stdin":true}`,
		`{"command":"cat","stdin":"true"}`:         `{"command":"cat","stdin":"true"}`,
		`{"command":"cat","stdin":"false"}`:        `{"command":"cat","stdin":"false"}`,
		`{"stdin":"x","input":"y"}`:                `{"stdin":"x","input":"y"}`,
		`{"stdin":["x"]}`:                          `{"stdin":["x"]}`,
		`[]`:                                       `[]`,
		``:                                         ``,
	} {
		assert.Equal(t, want, string(lenient(run, json.RawMessage(in))), in)
	}
	const in = `{"command":"cat","stdin":"x"}`
	assert.Equal(t, in, string(lenient(start, json.RawMessage(in))), "start_process has no input")
}

func TestWithoutNulls(t *testing.T) {
	for in, want := range map[string]string{
		`{"a":null,"b":{"c":null}}`: `{"b":{"c":null}}`,
		`{"a":"null"}`:              `{"a":"null"}`,
		`null`:                      `null`,
		`[null]`:                    `[null]`,
		``:                          ``,
	} {
		assert.Equal(t, want, string(withoutNulls(json.RawMessage(in))), in)
	}
}

func TestSeconds(t *testing.T) {
	for in, want := range map[float64]time.Duration{
		0: 0, math.Copysign(0, -1): 0, 0.5: 500 * time.Millisecond, 1e300: math.MaxInt64 / 2, math.Inf(1): math.MaxInt64 / 2,
		1e-10: 1, math.SmallestNonzeroFloat64: 1, 1.5e-9: 1, 1e-9: 1,
	} {
		got, err := seconds("x", in)
		assert.NoError(t, err, "%v", in)
		assert.Equal(t, want, got, "%v", in)
		got, err = secondsOr("x", &in, time.Hour)
		assert.NoError(t, err, "%v", in)
		assert.Equal(t, want, got, "%v", in)
	}
	for _, wrong := range []float64{-0.1, -math.SmallestNonzeroFloat64, -1e300, math.Inf(-1), math.NaN()} {
		_, err := seconds("wait_seconds", wrong)
		assert.ErrorContains(t, err, "wait_seconds", "%v", wrong)
	}
	got, err := secondsOr("x", nil, time.Hour)
	assert.NoError(t, err)
	assert.Equal(t, time.Hour, got)
}

// TestTheShortestTime: a time that is not 0 ends, however short it is.
func TestTheShortestTime(t *testing.T) {
	c := connect(t, overHTTP(t, newServer(t, Options{})))
	for _, shortest := range []float64{1e-10, 5e-324, 1e-9} {
		id := c.start("exec sleep 1000", arguments{"timeout_seconds": shortest})
		c.wait(id)
		_, r := c.do("get_process_info", arguments{"process_id": id})
		expect(t, r, arguments{"cause": "timeout"})
	}
	id := c.start("exec sleep 1000", arguments{"timeout_seconds": 0})
	_, r := c.do("wait_for_process", arguments{"process_id": id, "timeout_seconds": 1e-10})
	expect(t, r, arguments{"state": "running"})
	_, r = c.do("get_process_output", arguments{"process_id": id, "wait_seconds": 5e-324})
	expect(t, r, arguments{"state": "running", "output": ""})
}

func TestWholeNumbersInOtherSpellings(t *testing.T) {
	schema := paramsSchema[outputParams](facts(Options{}))
	for given, want := range map[string]string{
		`{"max_bytes":100.0}`:           `{"max_bytes":100}`,
		`{"cursor":1e2}`:                `{"cursor":100}`,
		`{"cursor":-0.0}`:               `{"cursor":0}`,
		`{"max_bytes":1.5}`:             `{"max_bytes":1.5}`,
		`{"max_bytes":7}`:               `{"max_bytes":7}`,
		`{"cursor":9007199254740993.0}`: `{"cursor":9007199254740993.0}`,
		`{"wait_seconds":1e0}`:          `{"wait_seconds":1e0}`,
		`{"process_id":"1.0"}`:          `{"process_id":"1.0"}`,
	} {
		assert.Equal(t, want, string(lenient(schema, json.RawMessage(given))), given)
	}
}

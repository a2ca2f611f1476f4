package mcpserver

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWrongIDs(t *testing.T) {
	for text, wrong := range map[string]bool{
		`{"id":1}`:                               false,
		`{"id":-1}`:                              false,
		`{"id":0}`:                               false,
		`{"id":""}`:                              false,
		`{"id":"1.5"}`:                           false,
		`{"method":"x"}`:                         false,
		`{"ID":1.5,"method":"x"}`:                false, // is no id
		`{"id":9007199254740992}`:                false,
		`{"id":9007199254740993}`:                true,
		`{"id":-9007199254740993}`:               true,
		`{"id":1.5}`:                             true,
		`{"id":1e3}`:                             true,
		`{"id":null}`:                            true,
		`{"id":true}`:                            true,
		`{"id":[1]}`:                             true,
		`{"id":1,"id":1.5}`:                      true,
		`{"id":1000000000000000000000000000000}`: true,
		`{"method":"notifications/cancelled","params":{"requestId":1.5}}`:               true,
		`{"method":"notifications/cancelled","params":{"requestId":1}}`:                 false,
		`{"method":"notifications/cancelled"}`:                                          false,
		`{"method":"tools/call","params":{"requestId":1.5},"id":"x"}`:                   false,
		`{"method":"tools/call","params":{"_meta":{"progressToken":"x"}}}`:              false,
		`{"method":"tools/call","params":{"_meta":{"progressToken":-7}}}`:               false,
		`{"method":"tools/call","params":{"_meta":{"progressToken":9007199254740992}}}`: false,
		`{"method":"tools/call","params":{"_meta":{"progressToken":9007199254740993}}}`: true,
		`{"method":"tools/call","params":{"_meta":{"progressToken":1.5}}}`:              true,
		`{"method":"tools/call","params":{"_meta":{"progressToken":true}}}`:             true,
		`{"method":"tools/call","params":{"_meta":{"progressToken":[]}}}`:               true,
		`{"method":"tools/call","params":{"_meta":{"progressToken":null}}}`:             true,
		`{"method":"ping","params":{"_meta":{"progressToken":{}}}}`:                     true,
		`{"method":"` + strings.Repeat("x", 300) + `"}`:                                 true,
	} {
		err := wrongMessage(membersOf([]byte(text)))
		if wrong {
			assert.Error(t, err, text)
		} else {
			assert.NoError(t, err, text)
		}
	}
}

func TestOuterID(t *testing.T) {
	for text, want := range map[string]string{
		`{"jsonrpc":"2.0","id":17,"method":"x"`:             "17",
		`{ "id" : "a\"b" , "method":"x"`:                    `"a\"b"`,
		`{"method":"x","params":{},"jsonrpc":"2.0","id":5}`: "5",
		`{"method":"x","params":{"id":5}}`:                  "",
		`{"method":"x","params":{"id":5},"a":"b"}`:          "",
		`{"params":{"id":5,`:                                "",
		`{"jsonrpc":"2.0","id":1.5,"method":"x"`:            "",
		`garbage`:                                           "",
	} {
		assert.Equal(t, want, string(outerID([]byte(text))), text)
	}
}

// FuzzDecode: a line is a message, or is answered with valid JSON.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{`{"jsonrpc":"2.0","id":1,"method":"ping"}`, `[]`, `{`, `{"jsonrpc":"2.0","id":"\ud800"}`, `null`, `"`, `,"id":"\0"}`, `{"id":01,`} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, text []byte, tooLong bool) {
		if len(bytes.TrimSpace(text)) == 0 {
			return
		}
		message, refused := decode(line{text, tooLong}, 10)
		require.NotEqual(t, message == nil, refused == nil, "%q: both or none of %v, %q", text, message, refused)
		if refused != nil {
			require.True(t, json.Valid(refused), "%q: %q", text, refused)
			require.NotContains(t, string(refused), "\n", "%q", text)
		}
	})
}

// A body has one message: what is behind it would be dropped, and not be looked at.
func TestBodyOfMoreThanOneMessage(t *testing.T) {
	s := newServer(t, Options{})
	h := httptest.NewServer(s.Handler(HTTPOptions{Loopback: true}))
	defer h.Close()
	defer s.Close()
	ping := `{"jsonrpc":"2.0","id":2,"method":"ping"}`
	for _, behind := range []string{"{}", ping, "\n" + ping, " 1", ` {"id":9007199254740993}`, "x", "]", "\x00"} {
		status, text, session := post(t, http.DefaultClient, h.URL+Path, initialize+behind)
		assert.Equal(t, 400, status, behind)
		assert.Contains(t, text, "behind the message", behind)
		assert.Empty(t, session, behind)
	}
	status, _, _ := post(t, http.DefaultClient, h.URL+Path, " \r\n"+initialize+"\t\n ")
	assert.Equal(t, 200, status, "blanks")
}

// No error quotes much of what it is about.
func TestErrorsAreShort(t *testing.T) {
	s := newServer(t, Options{})
	c := newHTTPClient(t, s)
	long := strings.Repeat("x", 1_000_000)
	for name, call := range map[string]string{
		"a tool":          toolCall(1, long),
		"a process":       toolCall(1, "kill_process", "process_id", long),
		"a directory":     toolCall(1, "start_process", "command", "true", "cwd", "/"+long),
		"a program":       toolCall(1, "start_process", "command", "/"+long, "args", []string{"x"}),
		"a pattern":       toolCall(1, "get_process_output", "process_id", "p", "filter_lines", "("+long),
		"a parameter":     toolCall(1, "list_processes", long, 1),
		"a value":         toolCall(1, "start_process", "command", []string{long}),
		"a number":        `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"start_process","arguments":{"command":"x","timeout_seconds":` + strings.Repeat("1", 100_000) + `}}}`,
		"a stop signal":   toolCall(1, "start_process", "command", "true", "stop_signal", long),
		"a label":         toolCall(1, "start_process", "command", "true", "env", map[string]string{long: "\x00"}),
		"a method":        `{"jsonrpc":"2.0","id":1,"method":"` + long + `"}`,
		"an id":           `{"jsonrpc":"2.0","id":` + strings.Repeat("1", 100_000) + `,"method":"ping"}`,
		"a progresstoken": `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"progressToken":["` + long + `"]}}}`,
		"a prompt":        `{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"` + long + `"}}`,
		"a resource":      `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"` + long + `"}}`,
		"no message":      `{"jsonrpc":"` + long + `"}`,
	} {
		status, text := c.post(t, call)
		require.Less(t, len(text), 3*longestError, "%s: %.200s", name, text)
		if status != 400 {
			require.Contains(t, text, "rror", name)
		}
	}
}

package mcpserver

import (
	"bytes"
	"encoding/json"
	"testing"
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
		`{"method":"notifications/cancelled","params":{"requestId":1.5}}`: true,
		`{"method":"notifications/cancelled","params":{"requestId":1}}`:   false,
		`{"method":"notifications/cancelled"}`:                            false,
		`{"method":"tools/call","params":{"requestId":1.5},"id":"x"}`:     false,
	} {
		if err := wrongMessage(membersOf([]byte(text))); (err != nil) != wrong {
			t.Errorf("%s: %v", text, err)
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
		if got := string(outerID([]byte(text))); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
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
		if (message == nil) == (refused == nil) {
			t.Fatalf("%q: both or none of %v, %q", text, message, refused)
		}
		if refused != nil && (!json.Valid(refused) || bytes.ContainsRune(refused, '\n')) {
			t.Fatalf("%q: %q", text, refused)
		}
	})
}

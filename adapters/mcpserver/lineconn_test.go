package mcpserver

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
)

func TestReadLine(t *testing.T) {
	const max = 100_000 // more than the reader's buffer
	exact, more := strings.Repeat("x", max), strings.Repeat("y", max+1)
	in := bufio.NewReaderSize(strings.NewReader("a\n\n"+exact+"\r\n"+more+"\n"+more+more+"z\nlast"), 64<<10)
	for _, want := range []struct {
		text    string
		tooLong bool
	}{{"a", false}, {"", false}, {exact, false}, {"yy", true}, {"yyz", true}, {"last", false}} {
		l, err := readLine(in, max)
		if err != nil && want.text != "last" {
			t.Fatal(err)
		}
		text := strings.TrimSpace(string(l.text))
		if l.tooLong != want.tooLong || !l.tooLong && text != want.text || l.tooLong && !strings.HasSuffix(text, want.text) {
			t.Errorf("a line of %d bytes, too long: %v; want %.10q, %v", len(text), l.tooLong, want.text, want.tooLong)
		}
		if l.tooLong && len(l.text) > 2*endsKept {
			t.Errorf("%d bytes of a line that is too long are held", len(l.text))
		}
	}
	if _, err := readLine(in, max); err != io.EOF {
		t.Errorf("at the end: %v", err)
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

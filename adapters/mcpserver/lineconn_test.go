package mcpserver

import (
	"bufio"
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

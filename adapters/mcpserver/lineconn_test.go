package mcpserver

import (
	"bufio"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
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
		if want.text != "last" {
			require.NoError(t, err)
		}
		text := strings.TrimSpace(string(l.text))
		assert.Equal(t, want.tooLong, l.tooLong, "%.10q", want.text)
		if l.tooLong {
			assert.True(t, strings.HasSuffix(text, want.text), "%.10q", want.text)
			assert.LessOrEqual(t, len(l.text), 2*endsKept, "what is held of a line that is too long")
		} else {
			assert.True(t, text == want.text, "%d bytes, not %.10q", len(text), want.text)
		}
	}
	_, err := readLine(in, max)
	assert.Equal(t, io.EOF, err)
}

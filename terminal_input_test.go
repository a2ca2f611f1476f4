//go:build linux

package procession_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// ready is a process on a terminal, which has said so after setting its modes.
func ready(t *testing.T, stty, line string) (*procession.Engine, string) {
	t.Helper()
	e := enginetest.New(t)
	id := enginetest.Start(t, e, onTerminal("stty -echo "+stty+"; echo ready; "+line))
	findLine(t, e, id, "ready")
	return e, id
}

// The end of the input is told once: who reads on after it has a terminal still.
func TestEndOfFileIsTypedOnce(t *testing.T) {
	for name, test := range map[string]struct{ stty, text string }{
		"nothing":                   {"", ""},
		"a newline":                 {"", "text\n"},
		"a carriage return":         {"", "text\r"},
		"no end of line":            {"", "text"},
		"a line that is taken back": {"", "text\x15"},
		"another end of a line":     {"eol e", "txe"},
		"handed over":               {"", "text\x04"},
		"a quoted newline":          {"", "text\x16\n"},
		"another end of file":       {"eof q", "text\n"},
		"another, with a text":      {"eof q", "text\x04"},
		"raw, but in lines":         {"-icrnl", "text\r"},
	} {
		t.Run(name, func(t *testing.T) {
			e, id := ready(t, test.stty, "cat >/dev/null; echo first; cat; echo second")
			write(t, e, id, test.text)
			require.NoError(t, e.CloseStdin(testkit.Within(t), id))
			findLine(t, e, id, "first")
			write(t, e, id, "more\n")
			findLine(t, e, id, "more")
			require.NoError(t, e.CloseStdin(testkit.Within(t), id))
			exit := enginetest.Wait(t, e, id)
			assert.True(t, exit.Success(), exit)
		})
	}
}

// Where there is no end-of-file it cannot be told, and nothing is typed instead.
func TestWithoutAnEndOfFileNoneIsTyped(t *testing.T) {
	for _, stty := range []string{"raw", "-icanon", "eof undef"} {
		e, id := ready(t, stty, "dd bs=1 count=3 2>/dev/null; echo; echo end")
		err := e.CloseStdin(testkit.Within(t), id)
		assert.ErrorIs(t, err, procession.ErrUnsupported, stty)
		write(t, e, id, "ab\n")
		exit := enginetest.Wait(t, e, id)
		assert.True(t, exit.Success(), stty)
		out := enginetest.Output(t, e, id).Stdout()
		assert.NotContains(t, out, "\x04", stty)
		assert.Contains(t, out, "ab", stty)
	}
}

// Of a line that is too long the system drops the rest. It is refused instead.
func TestALineThatIsTooLongForATerminal(t *testing.T) {
	const most = 4095
	e, id := ready(t, "", "wc -c")
	write(t, e, id, strings.Repeat("x", most)+"\n")
	long := "short\n" + strings.Repeat("y", most+1) + "\n"
	n, err := e.Write(testkit.Within(t), id, []byte(long))
	assert.ErrorIs(t, err, procession.ErrInvalidRequest)
	assert.Equal(t, len("short\n"), n)
	write(t, e, id, strings.Repeat("z", most-1))
	n, err = e.Write(testkit.Within(t), id, []byte("zz"))
	assert.ErrorIs(t, err, procession.ErrInvalidRequest)
	assert.Zero(t, n)
	write(t, e, id, "z\n")
	require.NoError(t, e.CloseStdin(testkit.Within(t), id))
	enginetest.Wait(t, e, id)
	assert.Equal(t, "ready\r\n8198\r\n", enginetest.Output(t, e, id).Stdout())

	e, id = ready(t, "-icanon", "head -c 9000 | wc -c")
	write(t, e, id, strings.Repeat("x", 9000))
	enginetest.Wait(t, e, id)
	assert.Equal(t, "ready\r\n9000\r\n", enginetest.Output(t, e, id).Stdout())
}

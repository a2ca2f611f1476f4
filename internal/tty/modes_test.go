package tty

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// cooked are the modes of a terminal as it is opened.
func cooked() Modes {
	m := Modes{Canonical: true, Signals: true, EOF: 4, Quote: 0x16, Erase: 0x7f, MaxLine: 4095}
	for _, c := range "\n\r\x03\x04\x15\x1a\x1c" {
		m.Ends[c] = true
	}
	return m
}

func TestTyped(t *testing.T) {
	line := func(n int) string { return strings.Repeat("x", n) }
	raw, noCR, endless := cooked(), cooked(), cooked()
	raw.Canonical, noCR.Ends['\r'], endless.MaxLine = false, false, 0
	for name, test := range map[string]struct {
		modes   Modes
		begun   int
		data    string
		n, left int
	}{
		"nothing":                  {cooked(), 7, "", 0, 7},
		"a line":                   {cooked(), 7, "abc\n", 4, 0},
		"a carriage return":        {cooked(), 0, "abc\r", 4, 0},
		"one that stays one":       {noCR, 0, "abc\r", 4, 4},
		"no end of line":           {cooked(), 2, "abc", 3, 5},
		"an end of file":           {cooked(), 2, "abc\x04", 4, 0},
		"an interrupt":             {cooked(), 2, "abc\x03d", 5, 1},
		"a quoted newline":         {cooked(), 0, "abc\x16\n", 5, 4},
		"a quoted quote":           {cooked(), 0, "\x16\x16\n", 3, 0},
		"erased":                   {cooked(), 1, "ab\x7f\x7f\x7f\x7f", 6, 0},
		"killed":                   {cooked(), 1, "ab\x15", 3, 0},
		"as long as can be":        {cooked(), 0, line(4095) + "\n", 4096, 0},
		"too long":                 {cooked(), 0, line(4096), 0, 0},
		"too long, with an end":    {cooked(), 0, line(4096) + "\n", 0, 0},
		"too long, in two":         {cooked(), 4000, line(96), 0, 4000},
		"too long, not the first":  {cooked(), 5, "abc\n" + line(5000) + "\ndef\n", 4, 0},
		"many lines":               {cooked(), 0, strings.Repeat(line(4000)+"\n", 9), 9 * 4001, 0},
		"raw":                      {raw, 9, line(9000), 9000, 0},
		"a limit that is unknown":  {endless, 0, line(9000), 9000, 9000},
		"a quote that is disabled": {func() Modes { m := cooked(); m.Quote = Disabled; return m }(), 0, "\x16\n", 2, 0},
	} {
		n, left := test.modes.Typed(test.begun, []byte(test.data))
		assert.Equal(t, [2]int{test.n, test.left}, [2]int{n, left}, name)
	}
}

func TestEndOfFile(t *testing.T) {
	m := cooked()
	assert.Equal(t, []byte{4}, m.EndOfFile(0))
	assert.Equal(t, []byte{4, 4}, m.EndOfFile(3))
	m.EOF = 'q'
	assert.Equal(t, []byte{'q'}, m.EndOfFile(0))
	m.EOF = Disabled
	assert.Empty(t, m.EndOfFile(3))
	m = cooked()
	m.Canonical = false
	assert.Empty(t, m.EndOfFile(0))
}

//go:build unix

package logfile

import (
	"io"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
)

// A file on a disk that is full now and then.
type fullFile struct {
	io.WriteCloser
	room int
}

func (f *fullFile) Write(data []byte) (int, error) {
	n, _ := f.WriteCloser.Write(data[:min(len(data), f.room)])
	if f.room -= n; n < len(data) {
		return n, syscall.ENOSPC
	}
	return n, nil
}

// newFullLog is a log for the rest of which there is room bytes.
func newFullLog(t *testing.T, room int, say func(string)) (*File, *fullFile) {
	t.Helper()
	l, err := New(t.TempDir(), "a", say)
	require.NoError(t, err)
	require.NoError(t, l.open(0))
	file := &fullFile{l.file, room}
	l.file = file
	return l, file
}

func TestALogGoesOnWhenThereIsRoom(t *testing.T) {
	var said []string
	l, file := newFullLog(t, 4, func(text string) { said = append(said, text) })
	write := func(text string) { assert.NoError(t, l.Write(procession.Segment{Data: []byte(text)})) }
	write("one")
	write("two")
	write("three")
	assert.Equal(t, []string{"the log of a is not written from here on: no space left on device"}, said)
	file.room = 5
	write("four")
	assert.Equal(t, "the log of a goes on; 7 B are missing from it", said[1])
	write("five")
	l.Close()
	data, _ := os.ReadFile(l.path)
	assert.Equal(t, "onet\nfour", string(data))
	assert.Equal(t, []string{"the log of a is not written from here on: no space left on device", "4 B are missing from the end of the log of a"}, said[2:])
}

// What is before a loss and what is after it is in two lines.
func TestALogJoinsNoHalvesOfLines(t *testing.T) {
	for name, test := range map[string]struct {
		room          int
		before, after string
		want          string
		brief         bool // there is room for a moment
	}{
		"within a line":             {1, "512\n513\n", "14000\n", "5\n14000\n", false},
		"twice":                     {1, "512\n513\n", "14000\n", "5\n14000\n", true},
		"at its end":                {3, "512\n513\n", "14000\n", "512\n14000\n", false},
		"after its newline":         {4, "512\n513\n", "14000\n", "512\n14000\n", false},
		"before everything":         {0, "512\n513\n", "14000\n", "14000\n", false},
		"after a carriage return":   {2, "5\r6\r7\n", "8\n", "5\r\n8\n", false},
		"within a character":        {1, "ä\n", "ö\n", "\xc3\nö\n", false},
		"what is missing is a line": {2, "5\n6", "7\n", "5\n7\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			l, file := newFullLog(t, test.room, func(string) {})
			write := func(text string) { l.Write(procession.Segment{Data: []byte(text)}) }
			write(test.before)
			write("lost")
			if file.room = 100; test.brief {
				file.room = 1 // for a newline, and not for what is after it
				write("lost")
				file.room = 100
			}
			write(test.after)
			write("more\n")
			l.Close()
			data, _ := os.ReadFile(l.path)
			assert.Equal(t, test.want+"more\n", string(data))
		})
	}
}

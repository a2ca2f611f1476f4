//go:build unix

package logfile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
)

func newTestLog(t *testing.T, dir string) *File {
	t.Helper()
	l, err := New(dir, "a", func(text string) { assert.Fail(t, text) })
	require.NoError(t, err)
	return l
}

func writeLog(l *File, text string) { l.Write(procession.Segment{Data: []byte(text)}) }

// A log is appended to, whoever has begun it, also if it is emptied or made shorter
// meanwhile.
func TestALogIsAppendedTo(t *testing.T) {
	for name, before := range map[string]func(t *testing.T, l *File){
		"it is begun":            func(*testing.T, *File) {},
		"it was there":           func(t *testing.T, l *File) { require.NoError(t, os.WriteFile(l.path, []byte("old\n"), 0o600)) },
		"it was begun anew":      func(t *testing.T, l *File) { writeLog(l, "old\n"); require.NoError(t, os.Remove(l.path)) },
		"it was just moved away": func(_ *testing.T, l *File) { writeLog(l, strings.Repeat("x", logSize<<20)) },
		"its directory is removed": func(t *testing.T, l *File) {
			writeLog(l, "x")
			require.NoError(t, os.RemoveAll(filepath.Dir(l.path)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newTestLog(t, filepath.Join(t.TempDir(), "logs"))
			require.NoError(t, os.Mkdir(filepath.Dir(l.path), 0o755))
			before(t, l)
			writeLog(l, "one\n")
			require.NoError(t, os.Truncate(l.path, 0))
			writeLog(l, "two\n")
			other, err := os.OpenFile(l.path, os.O_APPEND|os.O_WRONLY, 0)
			require.NoError(t, err)
			defer other.Close()
			other.WriteString("theirs\n")
			writeLog(l, "three\n")
			require.NoError(t, os.Truncate(l.path, 2))
			writeLog(l, "four\n")
			l.Close()
			data, _ := os.ReadFile(l.path)
			assert.Equal(t, "twfour\n", string(data))
		})
	}
}

// A log that was emptied has room again.
func TestAnEmptiedLogIsNotMovedAwayTooSoon(t *testing.T) {
	l := newTestLog(t, t.TempDir())
	writeLog(l, strings.Repeat("x", logSize<<20-1))
	require.NoError(t, os.Truncate(l.path, 0))
	writeLog(l, strings.Repeat("y", logSize<<20))
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(l.path), "*"))
	assert.Equal(t, []string{l.path}, files)
	writeLog(l, "z")
	l.Close()
	files, _ = filepath.Glob(filepath.Join(filepath.Dir(l.path), "*"))
	assert.Len(t, files, 2)
	data, _ := os.ReadFile(l.path)
	assert.Equal(t, "z", string(data))
}

// Several that write the same log lose nothing, of what they write nor of what was
// moved away.
func TestSeveralWriteOneLog(t *testing.T) {
	const writers, each = 3, 9_000
	dir := t.TempDir()
	var all sync.WaitGroup
	for w := range writers {
		l := newTestLog(t, dir)
		all.Go(func() {
			for i := range each {
				writeLog(l, fmt.Sprintf("%d %d %s\n", w, i, strings.Repeat("x", 1000)))
			}
			l.Close()
		})
	}
	all.Wait()
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	assert.Len(t, files, 3)
	count := make([]int, writers)
	seen := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range bytes.Lines(data) {
			var w, i int
			_, err := fmt.Sscan(string(line), &w, &i)
			require.NoError(t, err, "%q", line)
			seen[fmt.Sprint(w, i)] = true
			count[w]++
		}
	}
	assert.Len(t, seen, writers*each)
	assert.Equal(t, []int{each, each, each}, count)
}

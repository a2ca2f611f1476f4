//go:build unix

package main

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

func newTestLog(t *testing.T, dir string) *outputLog {
	t.Helper()
	l, err := newOutputLog(dir, "a", func(text string) { t.Error(text) })
	require.NoError(t, err)
	return l
}

func writeLog(l *outputLog, text string) { l.write(procession.Segment{Data: []byte(text)}) }

// A log is appended to, whoever has begun it, also if it is emptied or made shorter
// meanwhile.
func TestALogIsAppendedTo(t *testing.T) {
	for name, before := range map[string]func(t *testing.T, l *outputLog){
		"it is begun":            func(*testing.T, *outputLog) {},
		"it was there":           func(t *testing.T, l *outputLog) { require.NoError(t, os.WriteFile(l.path, []byte("old\n"), 0o600)) },
		"it was begun anew":      func(t *testing.T, l *outputLog) { writeLog(l, "old\n"); require.NoError(t, os.Remove(l.path)) },
		"it was just moved away": func(_ *testing.T, l *outputLog) { writeLog(l, strings.Repeat("x", logSize<<20)) },
		"its directory is removed": func(t *testing.T, l *outputLog) {
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
			l.close()
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
	l.close()
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
			l.close()
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

// So it is with two command lines, and with whoever empties their log.
func TestTwoUpWriteOneLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	file := poolYAML(t, "processes: {a: {command: 'echo begun; until test -e \"$GO\"; do sleep 0.01; done; seq 20000'}}")
	goAhead := filepath.Join(t.TempDir(), "go")
	has := func(want string) {
		until(t, fmt.Sprintf("the log has %q", want), func() bool {
			data, _ := os.ReadFile(path)
			return string(data) == want
		})
	}
	var all sync.WaitGroup
	for n := range 2 {
		cmd := cli(t, "up", "--log-dir", dir, file)
		cmd.Env = append(cmd.Env, "GO="+goAhead)
		require.NoError(t, cmd.Start())
		has(strings.Repeat("begun\n", n+1))
		all.Go(func() { cmd.Wait() })
	}
	require.NoError(t, os.Truncate(path, 0))
	require.NoError(t, os.WriteFile(goAhead, nil, 0o600))
	all.Wait()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.NotContains(t, string(data), "\x00")
	assert.Len(t, data, 2*108_894)
}

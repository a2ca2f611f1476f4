//go:build unix

package up_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/testkit"
)

// So it is with two command lines, and with whoever empties their log.
func TestTwoUpWriteOneLog(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	file := clitest.PoolYAML(t, "processes: {a: {command: 'echo begun; until test -e \"$GO\"; do sleep 0.01; done; seq 20000'}}")
	goAhead := filepath.Join(t.TempDir(), "go")
	has := func(want string) {
		t.Helper()
		testkit.Eventually(t, func(c *assert.CollectT) {
			data, _ := os.ReadFile(path)
			assert.Equal(c, want, string(data), path)
		})
	}
	var all sync.WaitGroup
	for n := range 2 {
		cmd := clitest.Command(t, "up", "--log-dir", dir, file)
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

// A log that somebody has taken away is begun anew, and one that was put there is
// continued. What is no file is left alone, and written around.
func TestALogIsWrittenWhereItCanBeSeen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	path := filepath.Join(dir, "a.log")
	file := clitest.PoolYAML(t, "processes: {a: {command: tail -n +1 -f in}}")
	in, err := os.Create(filepath.Join(filepath.Dir(file), "in"))
	require.NoError(t, err)
	defer in.Close()
	cmd := clitest.Command(t, "up", "--log-dir", dir, file)
	stderr, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	require.NoError(t, err)
	defer stderr.Close()
	cmd.Stderr = stderr
	require.NoError(t, cmd.Start())
	write := func(text string) {
		t.Helper()
		_, err := in.WriteString(text + "\n")
		require.NoError(t, err)
	}
	has := func(path, want string) {
		t.Helper()
		testkit.Eventually(t, func(c *assert.CollectT) {
			data, _ := os.ReadFile(path)
			assert.Equal(c, want, string(data), path)
		})
	}
	write("one")
	has(path, "one\n")
	require.NoError(t, os.Remove(path))
	write("two")
	has(path, "two\n")
	require.NoError(t, os.Rename(path, path+".old"))
	write("three")
	has(path, "three\n")
	has(path+".old", "two\n")
	require.NoError(t, os.RemoveAll(dir))
	write("four")
	has(path, "four\n")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte("mine\n"), 0o600))
	write("five")
	has(path, "mine\nfive\n")
	require.NoError(t, os.Truncate(path, 0))
	write("six")
	has(path, "six\n")
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700))
	says := func(text string) {
		t.Helper()
		testkit.Eventually(t, func(c *assert.CollectT) {
			data, _ := os.ReadFile(stderr.Name())
			assert.Contains(c, string(data), text+"\n")
		})
	}
	write("seven")
	says("the log of a is not written from here on: " + path + " is no regular file")
	require.NoError(t, os.Remove(path))
	write("eight")
	has(path, "eight\n")
	says("the log of a goes on; 6 B are missing from it")
	files, _ := filepath.Glob(filepath.Join(dir, "*"))
	assert.Equal(t, []string{path}, files)
	cmd.Process.Signal(syscall.SIGINT)
	clitest.Wait(t, cmd)
}

// What is no file is not taken for a log, nor renamed.
func TestUpRefusesLogsThatAreNoFiles(t *testing.T) {
	for name, make := range map[string]func(path string) error{
		"a directory":                func(path string) error { return os.Mkdir(path, 0o700) },
		"a directory with something": func(path string) error { return os.MkdirAll(path+"/x", 0o700) },
		"a pipe":                     func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"a link to a directory":      func(path string) error { return os.Symlink("/", path) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "b.log")
			require.NoError(t, make(path))
			r := clitest.Run(t, "up", "--log-dir", dir, clitest.PoolYAML(t, "processes: {a: {command: echo never}, b: {command: echo never}}"))
			assert.Equal(t, console.CodeUsage, r.Code)
			clitest.OneLine(t, r.Stderr, "--log-dir: "+path+" is no regular file")
			assert.Empty(t, r.Stdout)
			files, _ := filepath.Glob(filepath.Join(dir, "*"))
			assert.Equal(t, []string{path}, files)
		})
	}
}

func TestUpLogs(t *testing.T) {
	const size = 25 << 20
	file := clitest.PoolYAML(t, fmt.Sprintf(`
processes:
  flood: {command: [SELF, "%d"], env: {%s: much}}
  short: {command: printf 'a\nb', depends_on: {flood: exited-successfully}}
`, size, clitest.AsHelper))
	dir := filepath.Join(t.TempDir(), "some", "logs")
	cmd := clitest.Command(t, "up", "--log-dir", dir, file)
	require.NoError(t, cmd.Run())
	data, err := os.ReadFile(filepath.Join(dir, "short.log"))
	require.NoError(t, err)
	assert.Equal(t, "a\nb", string(data))
	logs, _ := filepath.Glob(filepath.Join(dir, "flood-*.log")) // in order of time
	assert.Len(t, logs, 2, "logs that were moved away")
	var all []byte
	for _, name := range append(logs, filepath.Join(dir, "flood.log")) {
		data, err := os.ReadFile(name)
		require.NoError(t, err)
		assert.LessOrEqual(t, len(data), 10<<20, "bytes in %s", name)
		all = append(all, data...)
	}
	want, _ := io.ReadAll(clitest.Noise(3, size))
	assert.True(t, bytes.Equal(want, all), "%d bytes, want the %d that were written", len(all), len(want))
}

// blockedUp runs up with nobody who reads its screen, until the log of the process
// a is complete. That must not depend on the screen.
func blockedUp(t *testing.T, complete string, command string) string {
	t.Helper()
	dir := t.TempDir()
	cmd := clitest.Command(t, "up", "--log-dir", dir, clitest.PoolYAML(t, "processes:\n  a:\n    command: "+command+"\n"))
	cmd.Env = append(cmd.Env, "LOGS="+dir)
	var pipes [2]*os.File // that are read only when all is over
	for i, stream := range []*io.Writer{&cmd.Stdout, &cmd.Stderr} {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		defer w.Close()
		pipes[i], *stream = r, w
	}
	require.NoError(t, cmd.Start())
	var data []byte
	testkit.Eventually(t, func(c *assert.CollectT) {
		data, _ = os.ReadFile(filepath.Join(dir, "a.log"))
		assert.True(c, strings.Contains(string(data), complete), "the log is not complete: it has %d bytes", len(data))
	})
	cmd.Process.Signal(syscall.SIGINT)
	for _, r := range pipes {
		r.Close()
	}
	clitest.Wait(t, cmd)
	return string(data)
}

// A log is written though nobody reads the screen.
func TestUpLogsThoughTheScreenIsHeldUp(t *testing.T) {
	const n = 200_000
	var want strings.Builder
	for i := range n {
		fmt.Fprintln(&want, i+1)
	}
	got := blockedUp(t, fmt.Sprintf("\n%d\n", n), fmt.Sprintf("seq %d", n))
	assert.True(t, got == want.String(), "the log has %d bytes, or different ones, want %d", len(got), want.Len())
}

// The streams of a process are in one order in its log, though they go to different
// places, of which one waits: what comes after much output is after it.
func TestUpLogsInOrder(t *testing.T) {
	got := blockedUp(t, "end", `head -c 1000000 /dev/zero; until test $(cat $LOGS/a.log 2>/dev/null | wc -c) -eq 1000000; do sleep 0.01; done; echo end >&2`)
	want := strings.Repeat("\x00", 1_000_000) + "end\n"
	assert.True(t, got == want, "the log has %d bytes, or in another order; it ends with %q", len(got), got[max(0, len(got)-20):])
}

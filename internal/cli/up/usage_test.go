//go:build unix

package up_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
)

func TestUpOfAProcfile(t *testing.T) {
	file := clitest.PoolFile(t, "Procfile", "# two\nweb: echo $PS at $PORT, $SECRET; read x < fifo\nworker: mkfifo fifo\n")
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(file), ".env"), []byte("SECRET='a b'\n"), 0o600))
	r := clitest.Run(t, "up", "--keep-going", "-m", "web=2", "--port", "8000", file)
	out := strings.Split(strings.TrimSpace(r.Stdout), "\n")
	slices.Sort(out)
	assert.Equal(t, []string{"web.1  | web.1 at 8000, a b", "web.2  | web.2 at 8001, a b"}, out, r.Stderr)
}

func TestUpWithoutPrefix(t *testing.T) {
	r := clitest.Run(t, "up", "--no-prefix", clitest.PoolYAML(t, "processes: {a: {command: 'echo out; echo err >&2'}}"))
	assert.Equal(t, "out\n", r.Stdout)
	assert.Contains(t, r.Stderr, "\nerr\n")
	assert.Contains(t, r.Stderr, "system | a exited: exit status 0\n")
}

func TestUpWhenNobodyReads(t *testing.T) {
	file := clitest.PoolYAML(t, "processes: {a: {command: 'while echo x; do sleep 0.01; done'}, b: {command: sleep 1000}}")
	cmd := clitest.Command(t, "up", file)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = out.Read(make([]byte, 1))
	require.NoError(t, err)
	out.Close()
	assert.Equal(t, 0, clitest.Wait(t, cmd), "exit code")
}

func TestPoolUsage(t *testing.T) {
	yaml := clitest.PoolYAML(t, "processes: {a: {command: x}}")
	for _, test := range []struct {
		args []string
		says string
	}{
		{[]string{"up", "a", "b"}, `one file at a time; "b" is another`},
		{[]string{"up", "missing.yaml"}, "open missing.yaml: no such file or directory"},
		{[]string{"check"}, "no procession.yaml, procession.yml or Procfile here"},
		{[]string{"check", "-m", "a=1", yaml}, "--formation and --port are for a Procfile"},
		{[]string{"up", "--grace", "-1s", yaml}, "--grace: -1s is negative"},
		{[]string{"up", "--log-dir", "/dev/null/x", yaml}, "--log-dir: mkdir /dev/null: not a directory"},
	} {
		cmd := clitest.Command(t, test.args...)
		cmd.Dir = t.TempDir()
		r := clitest.RunCommand(t, cmd)
		assert.Equal(t, console.CodeUsage, r.Code, "exit code of %q", test.args)
		clitest.OneLine(t, r.Stderr, test.says)
	}
}

func TestDotenvOfAProcfile(t *testing.T) {
	dir := t.TempDir()
	procfile := filepath.Join(dir, "Procfile")
	require.NoError(t, os.WriteFile(procfile, []byte(`a: printf '%s|' "$V" "$W" "$X"; echo`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".env"), []byte("V=/opt:$OUTER\nW=\"a\\\\\"\nX=$UNSET_HERE\nno-name=1\n"), 0o600))
	warnings := "procession: " + dir + "/.env:3: UNSET_HERE is not set: empty\n" +
		"procession: " + dir + "/.env:4: \"no-name\" is no name of a variable: skipped\n"

	for command, stdout := range map[string]string{"up": `/opt:outer|a\||`, "check": "a.1"} {
		cmd := clitest.Command(t, command, procfile)
		cmd.Env = append(cmd.Env, "OUTER=outer")
		got := clitest.RunCommand(t, cmd)
		assert.Zero(t, got.Code, command)
		assert.Contains(t, got.Stdout, stdout, command)
		assert.Contains(t, got.Stderr, warnings, command)
	}
}

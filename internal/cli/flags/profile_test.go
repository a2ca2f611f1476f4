//go:build unix

package flags_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/interrupt"
)

// isProfile checks that a file is what go tool pprof reads: a message compressed
// with gzip.
func isProfile(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	r, err := gzip.NewReader(bytes.NewReader(text))
	require.NoError(t, err, "%s, of %d bytes", filepath.Base(path), len(text))
	message, err := io.ReadAll(r)
	require.NoError(t, err, filepath.Base(path))
	assert.NotEmpty(t, message, filepath.Base(path))
}

func TestRunWritesProfiles(t *testing.T) {
	for name, test := range map[string]struct {
		args []string // of run
		ctrl int      // how often Ctrl-C is pressed, once it runs
		code int
	}{
		"it ends":           {clitest.Helper(t, "binary", "5000000"), 0, 0},
		"it fails":          {[]string{"--", "sh", "-c", "exit 3"}, 0, 3},
		"it cannot start":   {[]string{"--", "there-is-no-such-program"}, 0, console.CodeNotFound},
		"side by side":      {[]string{"-q", "true", "exit 4"}, 0, 4},
		"Ctrl-C":            {clitest.Helper(t, "polite"), 1, 4},
		"Ctrl-C, and again": {[]string{"--grace", "1h", "--", "sh", "-c", "trap 'echo asked' TERM; echo up; while :; do sleep 0.05; done"}, 2, console.CodeSignal + int(syscall.SIGKILL)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cpu, memory := filepath.Join(t.TempDir(), "cpu"), filepath.Join(t.TempDir(), "memory")
			cmd := clitest.Command(t, append([]string{"run", "--cpuprofile", cpu, "--memprofile", memory}, test.args...)...)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			lines := bufio.NewReader(out)
			for i := range test.ctrl { // it says that it runs, and that it was asked to end
				_, err = lines.ReadString('\n')
				require.NoError(t, err)
				if i > 0 {
					time.Sleep(interrupt.AgainAfter)
				}
				cmd.Process.Signal(syscall.SIGINT)
			}
			io.Copy(io.Discard, lines)
			assert.Equal(t, test.code, clitest.Wait(t, cmd), "exit code")
			isProfile(t, cpu)
			isProfile(t, memory)
		})
	}
}

func TestProfilesThatCannotBeWritten(t *testing.T) {
	for _, flag := range []string{"--cpuprofile", "--memprofile"} {
		ran := filepath.Join(t.TempDir(), "ran")
		r := clitest.Run(t, "run", flag, "/no/such/directory/profile", "--", "touch", ran)
		clitest.OneLine(t, r.Stderr, flag, "no such file")
		assert.Equal(t, console.CodeUsage, r.Code, "exit code")
		assert.NoFileExists(t, ran)
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		r := clitest.Run(t, "run", "--memprofile", "/dev/full", "--", "true")
		clitest.OneLine(t, r.Stderr, "--memprofile", "no space")
		assert.Equal(t, console.CodeEngine, r.Code, "exit code")
		r = clitest.Run(t, "run", "--memprofile", "/dev/full", "--", "false")
		assert.Equal(t, 1, r.Code, "exit code, which is the command's")
	}
}

// Long-running commands answer on a loopback address for as long as they run.
func TestPprofAnswers(t *testing.T) {
	file := clitest.PoolYAML(t, "processes: {web: {command: exec sleep 600}}")
	for name, args := range map[string][]string{"up": {"up", "--pprof", "127.0.0.1:0", file}, "mcp": {"mcp", "--pprof", "localhost:0"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := clitest.Command(t, args...)
			in, err := cmd.StdinPipe() // procession mcp ends with its input
			require.NoError(t, err)
			defer in.Close()
			stderr, err := cmd.StderrPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			said := bufio.NewReader(stderr)
			line, err := said.ReadString('\n')
			require.NoError(t, err)
			url := regexp.MustCompile(`http://\S+/debug/pprof/`).FindString(line)
			require.NotEmpty(t, url, "it says %q", line)
			transport := &http.Transport{DisableKeepAlives: true}
			client := &http.Client{Transport: transport}
			for path, want := range map[string]string{"": "goroutine", "goroutine?debug=1": "goroutine profile", "cmdline": "--pprof"} {
				r, err := client.Get(url + path)
				require.NoError(t, err)
				body, err := io.ReadAll(r.Body)
				r.Body.Close()
				require.NoError(t, err, path)
				assert.Equal(t, http.StatusOK, r.StatusCode, path)
				assert.Contains(t, string(body), want, path)
			}
			cmd.Process.Signal(syscall.SIGTERM)
			in.Close()
			io.Copy(io.Discard, said)
			clitest.Wait(t, cmd)
			r, err := client.Get(url)
			if err == nil {
				r.Body.Close()
			}
			assert.Error(t, err, "it still answers")
		})
	}
}

func TestPprofIsForThisMachine(t *testing.T) {
	file := clitest.PoolYAML(t, "processes: {web: {command: exec sleep 600}}")
	for _, args := range [][]string{{"up", "--pprof", "0.0.0.0:0", file}, {"mcp", "--pprof", "0.0.0.0:0"}} {
		r := clitest.Run(t, args...)
		clitest.OneLine(t, r.Stderr, "--pprof", "0.0.0.0:0", "loopback")
		assert.Equal(t, console.CodeUsage, r.Code, "exit code of %q", args)
		assert.Empty(t, r.Stdout, "%q", args)
	}
}

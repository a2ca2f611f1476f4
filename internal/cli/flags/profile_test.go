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
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
	"github.com/procession-go/procession/internal/cli/interrupt"
)

// isProfile checks that a file is what go tool pprof reads: a message compressed
// with gzip.
func isProfile(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
		return
	}
	r, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Errorf("%s, of %d bytes: %v", filepath.Base(path), len(text), err)
		return
	}
	if message, err := io.ReadAll(r); err != nil || len(message) == 0 {
		t.Errorf("%s: %d bytes, %v", filepath.Base(path), len(message), err)
	}
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
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(out)
			for i := range test.ctrl { // it says that it runs, and that it was asked to end
				if _, err := lines.ReadString('\n'); err != nil {
					t.Fatal(err)
				}
				if i > 0 {
					time.Sleep(interrupt.AgainAfter)
				}
				cmd.Process.Signal(syscall.SIGINT)
			}
			io.Copy(io.Discard, lines)
			if code := clitest.Wait(t, cmd); code != test.code {
				t.Errorf("exit code %d, want %d", code, test.code)
			}
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
		if _, err := os.Stat(ran); r.Code != console.CodeUsage || err == nil {
			t.Errorf("exit code %d, and %s", r.Code, ran)
		}
	}
	if _, err := os.Stat("/dev/full"); err == nil {
		r := clitest.Run(t, "run", "--memprofile", "/dev/full", "--", "true")
		clitest.OneLine(t, r.Stderr, "--memprofile", "no space")
		if r.Code != console.CodeEngine {
			t.Errorf("exit code %d", r.Code)
		}
		if r := clitest.Run(t, "run", "--memprofile", "/dev/full", "--", "false"); r.Code != 1 {
			t.Errorf("exit code %d, want the command's", r.Code)
		}
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
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			stderr, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			said := bufio.NewReader(stderr)
			line, err := said.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			url := regexp.MustCompile(`http://\S+/debug/pprof/`).FindString(line)
			if url == "" {
				t.Fatalf("it says %q", line)
			}
			transport := &http.Transport{DisableKeepAlives: true}
			client := &http.Client{Transport: transport}
			for path, want := range map[string]string{"": "goroutine", "goroutine?debug=1": "goroutine profile", "cmdline": "--pprof"} {
				r, err := client.Get(url + path)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(r.Body)
				r.Body.Close()
				if r.StatusCode != http.StatusOK || err != nil || !strings.Contains(string(body), want) {
					t.Errorf("%s: %s, %v, want %q in it", path, r.Status, err, want)
				}
			}
			cmd.Process.Signal(syscall.SIGTERM)
			in.Close()
			io.Copy(io.Discard, said)
			clitest.Wait(t, cmd)
			if r, err := client.Get(url); err == nil {
				r.Body.Close()
				t.Error("it still answers")
			}
		})
	}
}

func TestPprofIsForThisMachine(t *testing.T) {
	file := clitest.PoolYAML(t, "processes: {web: {command: exec sleep 600}}")
	for _, args := range [][]string{{"up", "--pprof", "0.0.0.0:0", file}, {"mcp", "--pprof", "0.0.0.0:0"}} {
		r := clitest.Run(t, args...)
		clitest.OneLine(t, r.Stderr, "--pprof", "0.0.0.0:0", "loopback")
		if r.Code != console.CodeUsage || r.Stdout != "" {
			t.Errorf("%q: exit code %d, stdout %q", args, r.Code, r.Stdout)
		}
	}
}

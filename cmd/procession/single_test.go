//go:build unix

package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestOutputIsByteExact(t *testing.T) {
	const n = 5_000_000
	got := runCLI(t, append([]string{"run"}, helper(t, "binary", strconv.Itoa(n))...)...)
	for stream, text := range map[byte]string{1: got.stdout, 2: got.stderr} {
		want, _ := io.ReadAll(noise(stream, n))
		if text != string(want) {
			t.Errorf("stream %d: %d bytes came, or different ones; %d were written", stream, len(text), n)
		}
	}
	if got.code != 0 {
		t.Errorf("exit code %d", got.code)
	}
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("\x00\x01garbage"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct {
		args []string
		code int
		says string // on stderr, in one line; nothing if ""
	}{
		{[]string{"run", "--", "true"}, 0, ""},
		{[]string{"run", "--", "sh", "-c", "exit 3"}, 3, ""},
		{[]string{"run", "--", "sh", "-c", "exit 255"}, 255, ""},
		{[]string{"run", "--", "sh", "-c", "kill -KILL $$"}, 137, ""},
		{[]string{"run", "--", "sh", "-c", "kill -TERM $$"}, 143, ""},
		{[]string{"run", "--timeout", "50ms", "--", "sleep", "600"}, 143, "sleep timed out after 50ms"},
		{[]string{"run", "--timeout", "50ms", "--grace", "0s", "--", "sh", "-c", "trap '' TERM; while :; do sleep 600; done"}, 137, "timed out"},

		{[]string{"run", "--timeout", "1s", "--", "sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"}, 124, "sh timed out after 1s"},
		{[]string{"run", "--timeout", "1s", "--", "sh", "-c", "trap 'exit 9' TERM; sleep 600 & wait"}, 9, "sh timed out after 1s"},

		{[]string{"run", "--", "there-is-no-such-program"}, 127, `"there-is-no-such-program": executable file not found`},
		{[]string{"run", "--", "/there/is/no/such/program"}, 127, "no such file"},
		{[]string{"run", "--", plain}, 126, "permission denied"},
		{[]string{"run", "--", dir}, 126, "permission denied"},
		{[]string{"run", "--", garbage}, 126, "exec format error"},
		{[]string{"run", "--", script("bare", "echo hi\n")}, 126, "a script without a #! line"},
		{[]string{"run", "--", script("lost", "#!/there/is/none\n")}, 127, `its interpreter "/there/is/none" is missing`},
		{[]string{"run", "--", script("dos", "#!/bin/sh\r\n")}, 127, "carriage return"},

		{[]string{"run"}, 2, "nothing to run"},
		{[]string{"run", "--"}, 2, "nothing to run"},
		{[]string{"run", "--", ""}, 2, "Command is empty"},
		{[]string{"run", "a", "--", "b"}, 2, "do not go together"},
		{[]string{"run", "-t", "a", "b"}, 2, "one process"},
		{[]string{"run", "--no-such-flag", "a"}, 2, "unknown flag"},
		{[]string{"run", "--timeout", "soon", "a"}, 2, "--timeout"},
		{[]string{"run", "--timeout", "-1s", "a"}, 2, "negative"},
		{[]string{"run", "--grace", "-1s", "a"}, 2, "negative"},
		{[]string{"run", "--output-limit", "lots", "a"}, 2, "--output-limit"},
		{[]string{"run", "-e", "NAME", "a"}, 2, "NAME=VALUE"},
		{[]string{"run", "-C", "/there/is/none", "a"}, 2, "--dir"},
		{[]string{"run", "-C", plain, "a"}, 2, "not a directory"},
		{[]string{"run", "--name", "x", "--name", "y", "a"}, 2, "--name"},
		{[]string{"run", "--name", "x", "--name", "x", "a", "b"}, 2, `"x" is there twice`},
		{[]string{"run", "--name", "", "a"}, 2, "empty"},
		{[]string{"run", "--name", "a\nb", "--", "a"}, 2, "cannot be printed"},
		{[]string{"run", ""}, 2, "line 1 is empty"},
		{[]string{"run", "true", " \n"}, 2, "line 2 is empty"},
		{[]string{"run", "-t", ""}, 2, "line 1 is empty"},
		{[]string{"help", "walk"}, 2, `unknown command "walk"`},
		{[]string{"walk"}, 2, `unknown command "walk"`},
		{[]string{"version", "x"}, 2, "unknown"},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			got := runCLI(t, test.args...)
			if got.code != test.code {
				t.Errorf("exit code %d, want %d; stderr %q", got.code, test.code, got.stderr)
			}
			if test.says == "" && got.stderr != "" {
				t.Errorf("stderr is %q", got.stderr)
			} else if test.says != "" {
				oneLine(t, got.stderr, test.says)
			}
			if got.stdout != "" {
				t.Errorf("stdout is %q", got.stdout)
			}
		})
	}
}

func TestHelpAndVersion(t *testing.T) {
	for args, want := range map[string]string{
		"--help":     "Available Commands",
		"":           "Available Commands",
		"help":       "Available Commands",
		"help run":   "128+n signal n has ended the command\n",
		"run --help": "128+n signal n has ended the command\n",
		"version":    "procession ",
	} {
		got := runCLI(t, strings.Fields(args)...)
		if got.code != 0 || got.stderr != "" || !strings.Contains(got.stdout, want) {
			t.Errorf("%q: exit code %d, stderr %q, stdout %q", args, got.code, got.stderr, got.stdout)
		}
	}
}

func TestDirAndEnvironment(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("INHERITED", "yes")
	script := `pwd; echo "$INHERITED" "$A" "$B"`
	got := runCLI(t, "run", "-C", dir, "-e", "A=1,2", "-e", "B= x", "--", "/bin/sh", "-c", script)
	if want := dir + "\nyes 1,2  x\n"; got.stdout != want {
		t.Errorf("got %q, want %q", got.stdout, want)
	}
	got = runCLI(t, "run", "-C", dir, "-e", "A=1", "--clear-env", "--", "/bin/sh", "-c", script)
	if want := dir + "\n 1 \n"; got.stdout != want {
		t.Errorf("with an empty environment: got %q, want %q", got.stdout, want)
	}
}

func TestStandardInputIsEmptyUnlessAskedFor(t *testing.T) {
	cmd := cli(t, "run", "--", "cat")
	cmd.Stdin = strings.NewReader("not for it")
	if got := runCmd(t, cmd); got.stdout != "" || got.code != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestStandardInputIsPassedOn(t *testing.T) {
	want, _ := io.ReadAll(noise(9, 3_000_000))
	for _, args := range [][]string{{"run", "-i", "--", "cat"}, {"run", "-i", "cat -"}} {
		cmd := cli(t, args...)
		cmd.Stdin = bytes.NewReader(want)
		if got := runCmd(t, cmd); got.stdout != string(want) || got.stderr != "" || got.code != 0 {
			t.Errorf("%q: %d bytes came back of %d, or different ones; exit code %d, stderr %q",
				args, len(got.stdout), len(want), got.code, got.stderr)
		}
	}
}

func TestAProgramThatDoesNotReadItsInput(t *testing.T) {
	cmd := cli(t, "run", "-i", "--", "sh", "-c", "exec <&-; echo done")
	cmd.Stdin = noise(1, 3_000_000)
	if got := runCmd(t, cmd); got.stdout != "done\n" || got.stderr != "" || got.code != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestSignalsEndItGracefully(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(sig.String(), func(t *testing.T) {
			cmd := cli(t, append([]string{"run", "--grace", "1h"}, helper(t, "polite")...)...)
			out := start(t, cmd)
			pid := readPID(t, out)
			cmd.Process.Signal(sig)
			rest, _ := io.ReadAll(out)
			if code := wait(t, cmd); code != 4 || string(rest) != "good-bye\n" {
				t.Errorf("exit code %d, output %q", code, rest)
			}
			if !dead(pid) {
				t.Error("it is still there")
			}
		})
	}
}

func TestASecondSignalKills(t *testing.T) {
	cmd := cli(t, append([]string{"run", "--grace", "1h"}, helper(t, "stubborn")...)...)
	out := start(t, cmd)
	pid := readPID(t, out)
	cmd.Process.Signal(syscall.SIGINT)
	again(t, cmd, syscall.SIGTERM, pid)
	io.Copy(io.Discard, out)
	if code := wait(t, cmd); code != 137 {
		t.Errorf("exit code %d, want 137", code)
	}
	if !dead(pid) {
		t.Error("it is still there")
	}
}

func TestASecondSignalKillsAlsoWhenNobodyReads(t *testing.T) {
	cmd := cli(t, append([]string{"run", "--grace", "1h"}, helper(t, "flood", "1000000000")...)...)
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	start(t, cmd)
	pid := readPID(t, bufio.NewReader(errs))
	cmd.Process.Signal(syscall.SIGINT)
	again(t, cmd, syscall.SIGTERM, pid)
	insist(t, cmd, syscall.SIGTERM) // the first signal may have ended the process, and its output waits
	if code := wait(t, cmd); code != 137 && code != 143 {
		t.Errorf("exit code %d", code)
	}
}

func TestAnIgnoredHangUpStaysIgnored(t *testing.T) {
	cmd := cli(t)
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `trap "" HUP; exec "$0" run -i -- cat`, self(t)}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := start(t, cmd)
	for _, line := range []string{"before\n", "after\n"} {
		io.WriteString(in, line)
		if got, err := out.ReadString('\n'); got != line {
			t.Fatalf("got %q, %v, want %q", got, err, line)
		}
		cmd.Process.Signal(syscall.SIGHUP)
	}
	in.Close()
	if code := wait(t, cmd); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestAReaderThatGoesAwayEndsIt(t *testing.T) {
	for _, args := range [][]string{{"run", "--", "yes"}, {"run", "yes", "yes no"}} {
		cmd := cli(t, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		out.Close()
		if code := wait(t, cmd); code != 143 || stderr.Len() > 0 {
			t.Errorf("%q: exit code %d, stderr %q", args, code, &stderr)
		}
	}
}

func TestASlowReaderLosesNothing(t *testing.T) {
	const n = 150_000_000
	cmd := cli(t, append([]string{"run"}, helper(t, "flood", strconv.Itoa(n))...)...)
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	out := start(t, cmd)
	pid := readPID(t, bufio.NewReader(errs))
	if _, err := os.Stat("/proc/self/io"); err == nil {
		before, since := 0, time.Now()
		until(t, "it waits", func() bool {
			if now := written(pid); now != before {
				before, since = now, time.Now()
			}
			return before > fullAt && time.Since(since) > 200*time.Millisecond
		})
	}
	want, got := sha256.New(), sha256.New()
	io.Copy(want, noise(3, n))
	k, _ := io.Copy(got, out)
	if code := wait(t, cmd); code != 0 || k != n || !bytes.Equal(want.Sum(nil), got.Sum(nil)) {
		t.Errorf("exit code %d; %d bytes came of %d, or different ones", code, k, n)
	}
}

// A reader that pauses gets everything, whatever group the writer is in, and however it ends.
func TestAReaderThatPausesGetsEverything(t *testing.T) {
	const n = 20_000_000
	for name, line := range map[string]string{
		"the leader":            `exec head -c %d /dev/zero`,
		"a group of its own":    `timeout 100 head -c %d /dev/zero`,
		"a session of its own":  `setsid -w head -c %d /dev/zero`,
		"a background job":      `set -m; head -c %d /dev/zero & wait`,
		"a pipeline":            `head -c %d /dev/zero | timeout 100 cat`,
		"it ignores being held": `trap '' CONT TSTP TTOU; head -c %d /dev/zero; exit 0`,
	} {
		for _, args := range [][]string{{"run", "--", "sh", "-c"}, {"run", "--output-limit", "4KiB", "--", "sh", "-c"}, {"run", "-q"}} {
			t.Run(name+" "+strings.Join(args, " "), func(t *testing.T) {
				t.Parallel()
				line := fmt.Sprintf(line, n)
				want := int64(n)
				if args[1] == "-q" { // with its prefix, and a last newline
					line = strings.ReplaceAll(line, "/dev/zero", "/dev/zero | tr '\\000' '\\n'")
					want = 0
				}
				cmd := cli(t, append(args, line)...)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out := start(t, cmd)
				time.Sleep(300 * time.Millisecond) // the reader pauses
				var k int64
				if want > 0 {
					k, _ = io.Copy(io.Discard, out)
				} else {
					all, _ := io.ReadAll(out)
					k, want = int64(bytes.Count(all, []byte("\n"))), n
				}
				if code := wait(t, cmd); code != 0 || k != want {
					t.Errorf("exit code %d, %d came of %d; %s", code, k, want, &stderr)
				}
			})
		}
	}
}

// start starts the command line and answers its standard output.
func start(t *testing.T, cmd interface {
	StdoutPipe() (io.ReadCloser, error)
	Start() error
}) *bufio.Reader {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return bufio.NewReader(out)
}

// readPID reads what a helper says of itself.
func readPID(t *testing.T, r *bufio.Reader) int {
	t.Helper()
	line, err := r.ReadString('\n')
	pid, convErr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || convErr != nil {
		t.Fatalf("no PID but %q, %v", line, err)
	}
	return pid
}

// written is how many bytes a process has written (proc(5)).
func written(pid int) (n int) {
	io, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	_, rest, _ := strings.Cut(string(io), "wchar: ")
	fmt.Sscan(rest, &n)
	return n
}

// processState is the letter that ps shows, "" if there is no such process.
func processState(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	return fields[0]
}

// What waits inside procession besides is said, and how much that is.
func TestHelpSaysHowMuchWaits(t *testing.T) {
	help := runCLI(t, "run", "--help").stdout
	assert.Regexp(t, `--output-limit size .*; besides, about 16 MiB of it wait inside procession`, help)
}

//go:build unix

package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/procession-go/procession/internal/testkit"
)

func init() {
	// orderly writes to a file when it is asked to end, and when it does.
	helpers["orderly"] = func() {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		file, err := os.OpenFile(os.Args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			panic(err)
		}
		fmt.Println("up")
		<-asked
		fmt.Fprintln(file, os.Args[2], "asked")
		fmt.Println("good-bye")
		fmt.Fprintln(file, os.Args[2], "gone")
	}
	// much writes noise to stdout.
	helpers["much"] = func() {
		n, _ := strconv.ParseInt(os.Args[1], 10, 64)
		io.Copy(os.Stdout, noise(3, n))
	}
}

// freeAddress is an address at which nothing listens.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

// poolFile writes a file into a directory of its own, with SELF for this
// binary as a helper.
func poolFile(t *testing.T, name, text string) string {
	t.Helper()
	testkit.NeedsFor(t, text)
	path := filepath.Join(t.TempDir(), name)
	text = strings.ReplaceAll(text, "SELF", self(t))
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func poolYAML(t *testing.T, text string) string { return poolFile(t, "procession.yaml", text) }

// onScreen runs up on a terminal, without colours.
func onScreen(t *testing.T, args ...string) *screen {
	t.Helper()
	cmd := cli(t, append([]string{"up"}, args...)...)
	cmd.Env = append(cmd.Env, "NO_COLOR=1")
	return show(t, cmd)
}

// inOrder checks that text has parts, which are regular expressions, one after
// the other.
func inOrder(t *testing.T, text string, parts ...string) {
	t.Helper()
	rest := text
	for _, part := range parts {
		at := regexp.MustCompile("(?m)" + part).FindStringIndex(rest)
		if at == nil {
			t.Fatalf("no %q at its place in:\n%s", part, text)
		}
		rest = rest[at[1]:]
	}
}

// upTogether runs up with both streams in one, so that their order can be seen.
func upTogether(t *testing.T, args ...string) (text string, code int) {
	t.Helper()
	cmd := cli(t, append([]string{"up"}, args...)...)
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	code = wait(t, cmd)
	output, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(output), code
}

func TestUpStartsInOrder(t *testing.T) {
	file := poolYAML(t, `
processes:
  worker:
    command: echo working
    depends_on: {web: ready}
  web:
    command: echo booting; echo listening; read never < fifo
    depends_on: {migrate: exited-successfully}
    ready: {pattern: ^listening}
  migrate:
    command: mkfifo fifo; echo migrating; printf 'no end'
`)
	text, code := upTogether(t, file)
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	// What a process prints comes by another way than what is told of others.
	inOrder(t, text,
		`^system  \| migrate started \(pid \d+\)$`, `^migrate \| migrating$`, `^migrate \| no end$`, `^system  \| migrate exited: exit status 0$`,
		`^system  \| web started`, `^system  \| worker started`, `^system  \| worker exited: exit status 0; stopping the rest$`,
		`^system  \| web stopped: signal: SIGTERM$`)
	inOrder(t, text, `^system  \| web started`, `^web     \| booting$`, `^web     \| listening$`, `^system  \| web stopped`)
	inOrder(t, text, `^system  \| worker started`, `^worker  \| working$`, `^system  \| worker exited`)
	inOrder(t, text, `^web     \| listening$`, `^system  \| web ready$`)
}

func TestUpStopsInReverseOrder(t *testing.T) {
	for _, key := range []string{"\x03", "signal"} {
		t.Run(fmt.Sprintf("%q", key), func(t *testing.T) {
			file := poolYAML(t, `
x-orderly: &orderly
  env: {`+asHelper+`: orderly}
  ready: {pattern: up}
processes:
  worker: {<<: *orderly, command: [SELF, order, worker], depends_on: {web: ready, cron: ready}}
  cron: {<<: *orderly, command: [SELF, order, cron], depends_on: {once: exited-successfully}}
  once: {command: 'true', depends_on: {db: ready}}
  web: {<<: *orderly, command: [SELF, order, web], depends_on: {db: ready}}
  db: {<<: *orderly, command: [SELF, order, db]}
`)
			s := onScreen(t, file)
			s.expect("worker started")
			s.expect("worker | up")
			if key == "signal" {
				s.cmd.Process.Signal(syscall.SIGTERM)
			} else {
				s.key(key)
			}
			s.expect("stopping; Ctrl-C again to kill")
			s.expect("db stopped: exit status 0")
			s.ends(0)
			data, err := os.ReadFile(filepath.Join(filepath.Dir(file), "order"))
			if err != nil {
				t.Fatal(err)
			}
			order := strings.Split(strings.TrimSpace(string(data)), "\n")
			for _, pair := range [][2]string{{"worker gone", "web asked"}, {"worker gone", "cron asked"}, {"web gone", "db asked"}, {"cron gone", "db asked"}} {
				first, then := slices.Index(order, pair[0]), slices.Index(order, pair[1])
				if first < 0 || then < first {
					t.Errorf("%q is not before %q in %q", pair[0], pair[1], order)
				}
			}
		})
	}
}

func TestUpIsKilledBySecondInterrupt(t *testing.T) {
	file := poolYAML(t, `
processes:
  one: {command: [SELF], env: {`+asHelper+`: stubborn}, grace: 1h, ready: {pattern: '\d'}}
  two: {command: [SELF], env: {`+asHelper+`: stubborn}, grace: 1h, ready: {pattern: '\d'}, depends_on: {one: ready}, restart: always}
`)
	s := onScreen(t, file)
	s.expect("two ready")
	s.key("\x03")
	s.expect("stopping; Ctrl-C again to kill")
	until(t, "it is killed", func() bool {
		s.key("\x03")
		return s.shows("killing")
	})
	s.ends(0)
}

func TestUpDoesNotStartWhatDependsOnAFailure(t *testing.T) {
	for _, test := range []struct {
		name, processes string
		flags           []string
		code            int
		says            []string
	}{
		{"exit code", "a: {command: exit 3}\n  b: {command: echo never, depends_on: {a: exited-successfully}}\n  c: {command: echo never, depends_on: [b]}", nil, 3,
			[]string{`a exited: exit status 3$`, `b not started: a failed: exit status 3`, `c not started: b was not started`}},
		{"not ready", "a: {command: exit 0, ready: {pattern: never}}\n  b: {command: echo never, depends_on: {a: ready}}", []string{"--keep-going"}, 0,
			[]string{`a exited: exit status 0`, `b not started: a ended before it was ready`}},
		{"not ready in time", "a: {command: sleep 1000, ready: {pattern: listening, timeout: 50ms}}\n  b: {command: echo never, depends_on: {a: ready}}", nil, 143,
			[]string{`a exited: signal: SIGTERM \(not ready within 50ms: no line of output matches "listening"\)$`, `b not started: a ended before it was ready`}},
		{"no such program", "a: {command: [no-such-program]}\n  b: {command: echo never, depends_on: [a]}", nil, 127,
			[]string{`a not started: start "no-such-program": executable file not found in \$PATH$`, `b not started: a was not started`}},
		{"no such directory", "a: {command: echo never, dir: missing}", nil, 127,
			[]string{`a not started: stat .*/missing: no such file or directory`}},
		{"a timeout", "a: {command: 'trap \"exit 0\" TERM; echo; sleep 1000 & wait', timeout: 300ms}", nil, 124,
			[]string{`a exited: exit status 0 \(timeout\)`}},
		{"killed by a signal", "a: {command: kill -9 $$}", nil, 137, []string{`a exited: signal: SIGKILL`}},
		{"gave up", "a: {command: exit 5, restart: {when: always, max_restarts: 2, min_backoff: 1ms, max_backoff: 2ms}}", nil, 5,
			[]string{`a started`, `a exited: exit status 5, restarting in \d+m?s`, `a exited: exit status 5, restarting in`,
				`a exited: exit status 5, and gave up after 2 restarts`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := runCLI(t, append(append([]string{"up"}, test.flags...), poolYAML(t, "processes:\n  "+test.processes))...)
			if r.code != test.code || strings.Contains(r.stdout, "never") {
				t.Errorf("exit code %d, want %d, stdout %q", r.code, test.code, r.stdout)
			}
			inOrder(t, r.stderr, test.says...)
		})
	}
}

func TestUpKeepsGoing(t *testing.T) {
	file := poolYAML(t, `
processes:
  first: {command: exit 4}
  second: {command: 'read x < fifo; exit 5', depends_on: {fifo: exited-successfully}}
  third: {command: 'echo > fifo', depends_on: [second]}
  fifo: {command: mkfifo fifo}
`)
	r := runCLI(t, "up", "--keep-going", file)
	if r.code != 4 || strings.Contains(r.stderr, "stopping") {
		t.Errorf("exit code %d, want that of the first that failed\n%s", r.code, r.stderr)
	}
	for _, says := range []string{"first exited: exit status 4\n", "second exited: exit status 5\n", "third exited: exit status 0\n"} {
		inOrder(t, r.stderr, regexp.QuoteMeta(says))
	}
}

func TestUpRestarts(t *testing.T) {
	file := poolYAML(t, `
processes:
  worker:
    command: 'printf "attempt\nno end"; echo x >> tries; test $(wc -l < tries) -gt 2'
    restart: {when: on-failure, min_backoff: 100ms}
`)
	text, code := upTogether(t, file)
	if code != 0 {
		t.Errorf("exit code %d", code)
	}
	inOrder(t, text, `^system \| worker started`, `^worker \| attempt$`, `^worker \| no end$`,
		`^system \| worker exited: exit status 1, restarting in \d+m?s$`, `^system \| worker exited: exit status 1, restarting`,
		`^system \| worker exited: exit status 0$`)
	if n := strings.Count(text, "worker | no end\n"); n != 3 {
		t.Errorf("%d attempts in:\n%s", n, text)
	}
}

func TestUpOfAProcfile(t *testing.T) {
	file := poolFile(t, "Procfile", "# two\nweb: echo $PS at $PORT, $SECRET; read x < fifo\nworker: mkfifo fifo\n")
	if err := os.WriteFile(filepath.Join(filepath.Dir(file), ".env"), []byte("SECRET='a b'\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := runCLI(t, "up", "--keep-going", "-m", "web=2", "--port", "8000", file)
	out := strings.Split(strings.TrimSpace(r.stdout), "\n")
	slices.Sort(out)
	if want := []string{"web.1  | web.1 at 8000, a b", "web.2  | web.2 at 8001, a b"}; !slices.Equal(out, want) {
		t.Errorf("got %q, want %q\n%s", out, want, r.stderr)
	}
}

func TestUpWithoutPrefix(t *testing.T) {
	r := runCLI(t, "up", "--no-prefix", poolYAML(t, "processes: {a: {command: 'echo out; echo err >&2'}}"))
	if r.stdout != "out\n" || !strings.Contains(r.stderr, "\nerr\n") || !strings.Contains(r.stderr, "system | a exited: exit status 0\n") {
		t.Errorf("%+v", r)
	}
}

func TestUpWhenNobodyReads(t *testing.T) {
	file := poolYAML(t, "processes: {a: {command: 'while echo x; do sleep 0.01; done'}, b: {command: sleep 1000}}")
	cmd := cli(t, "up", file)
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
	if code := wait(t, cmd); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestPoolUsage(t *testing.T) {
	yaml := poolYAML(t, "processes: {a: {command: x}}")
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
		cmd := cli(t, test.args...)
		cmd.Dir = t.TempDir()
		if r := runCmd(t, cmd); r.code != codeUsage {
			t.Errorf("%q: exit code %d", test.args, r.code)
		} else {
			oneLine(t, r.stderr, test.says)
		}
	}
}

func TestCheck(t *testing.T) {
	file := poolYAML(t, `
processes:
  web: {command: [bin/web, a b], restart: always, depends_on: {migrate: exited-successfully, db: ready}}
  migrate: {command: 'bin/migrate   --all'}
  db: {command: db}
`)
	cmd := cli(t, "check")
	cmd.Dir = filepath.Dir(file)
	want := `   NAME     STARTS                                      RESTART  COMMAND
1  migrate  at once                                     never    bin/migrate --all
2  db       at once                                     never    db
3  web      when migrate exited-successfully, db ready  always   bin/web "a b"
They are stopped in the opposite order.
`
	if r := runCmd(t, cmd); r.code != 0 || r.stdout != want || r.stderr != "" {
		t.Errorf("exit code %d, stdout:\n%s\nstderr: %s", r.code, r.stdout, r.stderr)
	}
}

// That nobody reads what it says is no reason to say that a file is wrong.
func TestCheckWhenNobodyReads(t *testing.T) {
	file := poolYAML(t, "processes: {a: {command: x}}")
	for _, args := range [][]string{{"check", file}, {"version"}} {
		cmd := cli(t, args...)
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = w, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		w.Close()
		if code := wait(t, cmd); code != 0 || stderr.Len() > 0 {
			t.Errorf("%q: exit code %d, stderr %q", args, code, &stderr)
		}
	}
}

func TestCheckSaysAllThatIsWrong(t *testing.T) {
	for _, command := range []string{"check", "up"} {
		file := poolYAML(t, "processes:\n  a: {comand: x, depends_on: [b]}\n  b: {command: x, depends_on: [a]}\n")
		cmd := cli(t, command)
		cmd.Dir = filepath.Dir(file)
		want := `procession.yaml:2: process a: unknown key "comand"; did you mean "command"?
procession.yaml:2: process a: no command
procession.yaml:3: processes depend on each other: a → b → a
`
		if r := runCmd(t, cmd); r.code != codeUsage || r.stdout != "" || r.stderr != want {
			t.Errorf("%s: %+v", command, r)
		}
	}
}

// The example pool, which ends by itself when the worker has done its jobs.
func TestExamplePool(t *testing.T) {
	testkit.Needs(t, "go")
	for _, test := range []struct {
		file string
		says []string
	}{
		{"procession.yaml", []string{
			`^migrate \| created table jobs$`, `^system  \| migrate exited: exit status 0$`,
			`^web     \| listening on`, `^worker  \| demo worker: 503`, `^system  \| worker exited: exit status 1, restarting in`,
			`^worker  \| demo worker: 503`, `^system  \| worker exited: exit status 1, restarting in`,
			`^worker  \| did job 1$`, `^worker  \| did job 2$`, `^system  \| worker exited: exit status 0; stopping the rest$`,
			`^web     \| closed$`, `^system  \| web stopped`}},
		{"Procfile", []string{
			`^web.1    \| created table jobs$`, `^web.1    \| listening on`, `^worker.1 \| demo worker: 503`, `^worker.1 \| demo worker: 503`,
			`^worker.1 \| did job 1$`, `^worker.1 \| did job 2$`, `^system   \| worker.1 exited: exit status 0; stopping the rest$`,
			`^web.1    \| closed$`}},
	} {
		t.Run(test.file, func(t *testing.T) {
			t.Setenv("DEMO_ADDR", freeAddress(t))
			t.Setenv("DEMO_JOBS", "2")
			text, code := upTogether(t, filepath.Join("..", "..", "examples", "pool", test.file))
			if code != 0 {
				t.Errorf("exit code %d", code)
			}
			inOrder(t, text, test.says...)
		})
	}
}

package poolfile

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/messages"
	"github.com/procession-go/procession/supervisor"
)

func parseText(text string, files map[string]string) (*Pool, error) {
	return parseYAML(source{path: "dir/p.yaml", dir: "/dir", data: []byte(text), read: beside(files)})
}

func TestYAMLWithEverything(t *testing.T) {
	pool, err := parseText(`
x-defaults: &defaults
  dir: server
  restart: always
processes:
  migrate:
    command: bin/migrate --all
  web:
    <<: *defaults
    command: [bin/web, --quiet]
    restart: on-failure
    env: {PORT: 8080, DEBUG: yes, EMPTY: "", A: own}
    env_file: [one.env, two.env]
    ready: {http: "http://127.0.0.1:8080/health", timeout: 5s}
    depends_on: {migrate: exited-successfully}
    labels: {tier: front}
    pty: true
  worker:
    command: bin/worker
    args: [--queue, 7]
    dir: /abs
    restart: {when: always, max_restarts: unlimited, window: 2m, min_backoff: 1s, max_backoff: 1m}
    ready: {pattern: "^polling", tcp: "127.0.0.1:9000", exec: test -f x, interval: 50ms}
    depends_on: [web, migrate]
    stop_signal: int
    grace: 0s
    timeout: 1h30m
    output_limit: 4MiB
    pty: {rows: 50}
    stdin: open
`, map[string]string{"/dir/one.env": "A=1\nB=1", "/dir/two.env": "B=2"})
	require.NoError(t, err)
	want := []Process{
		{Line: 6, Spec: messages.Spec{Name: "migrate", Command: "/bin/sh", Args: []string{"-c", "bin/migrate --all"}, Dir: "/dir", Env: map[string]string{}}},
		{Line: 8, DependsOn: []Dependency{{"migrate", ExitedSuccessfully, 15}}, Spec: messages.Spec{
			Name: "web", Command: "bin/web", Args: []string{"--quiet"}, Dir: "/dir/server",
			Env:     map[string]string{"PORT": "8080", "DEBUG": "yes", "EMPTY": "", "A": "own", "B": "2"},
			Restart: supervisor.Policy{When: supervisor.OnFailure},
			Ready:   &messages.Probe{HTTP: "http://127.0.0.1:8080/health", Timeout: 5 * time.Second},
			Labels:  map[string]string{"tier": "front"},
			PTY:     &messages.Size{Rows: 24, Cols: 80},
		}},
		{Line: 18, DependsOn: []Dependency{{"web", Started, 24}, {"migrate", Started, 24}}, Spec: messages.Spec{
			Name: "worker", Command: "bin/worker", Args: []string{"--queue", "7"}, Dir: "/abs", Env: map[string]string{},
			Restart: supervisor.Policy{When: supervisor.Always, MaxRestarts: -1, Window: 2 * time.Minute, MinBackoff: time.Second, MaxBackoff: time.Minute},
			Ready:   &messages.Probe{Pattern: "^polling", TCP: "127.0.0.1:9000", Exec: []string{"/bin/sh", "-c", "test -f x"}, Interval: 50 * time.Millisecond},
			Grace:   1, StopSignal: syscall.SIGINT, Timeout: 90 * time.Minute, OutputLimit: 4 << 20,
			PTY: &messages.Size{Rows: 50, Cols: 80}, Stdin: true,
		}},
	}
	require.Len(t, pool.Processes, len(want))
	for i := range want {
		assert.Equal(t, want[i], pool.Processes[i])
	}
}

func TestYAMLStdin(t *testing.T) {
	for value, want := range map[string]string{
		"open": "true", "'open'": "true", "null": "false", "'null'": "false",
		"": "dir/p.yaml:1: process a: stdin: want open or null, got nothing", "~": `dir/p.yaml:1: process a: stdin: want open or null, got "~"`,
		"yes": `dir/p.yaml:1: process a: stdin: want open or null, got "yes"`, "[open]": "dir/p.yaml:1: process a: stdin: want open or null, got a list",
		"null, pty: true":  "dir/p.yaml:1: process a: stdin: want open, because the input is its terminal (pty)",
		"null, pty: false": "false", "open, pty: true": "true",
	} {
		pool, err := parseText("processes: {a: {command: x, stdin: "+value+"}}", nil)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(pool.Processes[0].Spec.Stdin)
		}
		assert.Equal(t, want, got, "stdin: %s", value)
	}
}

func TestYAMLList(t *testing.T) {
	pool, err := parseText("processes:\n- {name: b, command: [b], depends_on: [a]}\n- command: [a]\n  name: a\n", nil)
	require.NoError(t, err)
	assert.Equal(t, "b", pool.Processes[0].Spec.Name)
	assert.Equal(t, []int{1, 0}, pool.StartOrder())
	assert.Equal(t, []int{0, 1}, pool.StopOrder())
}

func TestYAMLPorts(t *testing.T) {
	for _, probe := range []string{
		"tcp: 'localhost:1'", "tcp: ':65535'", "tcp: '[::1]:80'", "tcp: 'localhost:http'",
		"http: 'http://localhost'", "http: 'https://localhost:65535/x'", "http: 'http://[::1]:8080'",
	} {
		_, err := parseText("processes: {a: {command: x, ready: {"+probe+"}}}", nil)
		assert.NoError(t, err, probe)
	}
}

func TestYAMLProblems(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"syntax", "processes:\n  a: {command: x\n", "dir/p.yaml:2: did not find expected ',' or '}'"},
		{"syntax that the scanner refuses", "processes:\n  a: {command: x}\n  b: 'c\n", "dir/p.yaml:3: found unexpected end of stream"},
		{"syntax on the first line", "]", "dir/p.yaml:1: did not find expected node content"},
		{"no such anchor", "processes:\n  a: *b\n", "dir/p.yaml:2: unknown anchor 'b' referenced"},
		{"empty", "# nothing\n", "dir/p.yaml: the file is empty; want processes: …"},
		{"two documents", "processes: {a: {command: x}}\n---\nb: c\n", "dir/p.yaml:2: a second document; want one"},
		{"no mapping", "- a\n", "dir/p.yaml:1: the file: want a mapping, got a list"},
		{"no processes", "x-a: b\n", "dir/p.yaml:1: no processes"},
		{"none", "processes: {}\n", "dir/p.yaml:1: no processes"},
		{"nothing as processes", "processes:\n", "dir/p.yaml:1: processes: want a mapping, got nothing"},
		{"all at once", `
proceses: 1
processes:
  "a b": {command: x}
  web:
    comand: x
    frobnicate: y
    command: ""
    dir:
    dir: x
    env: {"A=B": 1, C: [d], E: }
    restart: sometimes
    ready: {}
    stop_signal: SIGNOTHING
    grace: -1s
    timeout: 10
    output_limit: lots
    pty: maybe
    labels: [a]
    depends_on: {wep: started, x: ready, worker: finished}
    env_file: missing.env
  worker: just text
  nothing:
  again: {command: {a: b}, args: c, restart: {max_restarts: 0, window: 0s, min_backoff: 1h, wen: always}}
  probes:
    command: x
    ready: {pattern: "(", tcp: nowhere, http: "ftp://x", exec: [], interval: soon, timeout: 0s}
  system: {command: x}
  stop: {command: x, pty: {rows: 0, cols: 70000, depth: 1}, stop_signal: 0, depends_on: [web, web], env_file: bad.env}
`, `
			dir/bad.env:2: unexpected character "!" in variable name
			dir/p.yaml:2: unknown key "proceses"; did you mean "processes"?
			dir/p.yaml:4: process name "a b": want letters, digits, ".", "_" and "-"
			dir/p.yaml:6: process web: unknown key "comand"; did you mean "command"?
			dir/p.yaml:7: process web: unknown key "frobnicate" (known: args, command, depends_on, dir, env, env_file, grace, labels, output_limit, pty, ready, restart, stdin, stop_signal, timeout)
			dir/p.yaml:8: process web: command is empty
			dir/p.yaml:9: process web: dir: no value; "" is an empty one
			dir/p.yaml:10: process web: duplicate key "dir" (first on line 9)
			dir/p.yaml:11: process web: env: "A=B" is no name of a variable
			dir/p.yaml:11: process web: env: C: want a string, got a list
			dir/p.yaml:11: process web: env: E: no value; "" is an empty one
			dir/p.yaml:12: process web: restart: want never, on-failure or always, got "sometimes"
			dir/p.yaml:13: process web: ready: no condition (pattern, tcp, http, exec)
			dir/p.yaml:14: process web: stop_signal: want a signal such as SIGTERM or SIGINT, got "SIGNOTHING"
			dir/p.yaml:15: process web: grace: want a duration such as 500ms, 10s or 1h30m, got "-1s"
			dir/p.yaml:16: process web: timeout: want a duration such as 500ms, 10s or 1h30m, got "10"
			dir/p.yaml:17: process web: output_limit: want a size such as 64KiB or 1MiB, or unlimited, got "lots"
			dir/p.yaml:18: process web: pty: want true, false, or rows and cols, got "maybe"
			dir/p.yaml:19: process web: labels: want a mapping, got a list
			dir/p.yaml:20: process web: depends_on: worker: want started, ready, exited-successfully, got "finished"
			dir/p.yaml:20: process web: depends_on: there is no process "wep"; did you mean "web"?
			dir/p.yaml:20: process web: depends_on: there is no process "x" (known: a b, again, nothing, probes, stop, system, web, worker)
			dir/p.yaml:21: process web: env_file: open /dir/missing.env: file does not exist
			dir/p.yaml:22: process worker: want a mapping, got a str
			dir/p.yaml:22: process worker: no command
			dir/p.yaml:23: process nothing: want a mapping, got nothing
			dir/p.yaml:23: process nothing: no command
			dir/p.yaml:24: process again: restart: max_restarts: want a number from 1 on, or unlimited, got "0"
			dir/p.yaml:24: process again: restart: window: want more than 0
			dir/p.yaml:24: process again: restart: unknown key "wen"; did you mean "when"?
			dir/p.yaml:24: process again: restart: no when (never, on-failure, always)
			dir/p.yaml:24: process again: command: want a string, got a mapping
			dir/p.yaml:27: process probes: ready: pattern: error parsing regexp: missing closing ): ` + "`(`" + `
			dir/p.yaml:27: process probes: ready: tcp: want host:port, got "nowhere"
			dir/p.yaml:27: process probes: ready: http: want an http or https URL, got "ftp://x"
			dir/p.yaml:27: process probes: ready: exec: it is empty
			dir/p.yaml:27: process probes: ready: interval: want a duration such as 500ms, 10s or 1h30m, got "soon"
			dir/p.yaml:27: process probes: ready: timeout: want more than 0
			dir/p.yaml:28: process name "system" is taken by procession itself
			dir/p.yaml:29: process stop: pty: rows: want a number from 1 to 65535, got "0"
			dir/p.yaml:29: process stop: pty: cols: want a number from 1 to 65535, got "70000"
			dir/p.yaml:29: process stop: pty: unknown key "depth" (known: cols, rows)
			dir/p.yaml:29: process stop: stop_signal: want a signal such as SIGTERM or SIGINT, got "0"
			dir/p.yaml:29: process stop: depends_on: "web" is there twice`},
		{"backoff the wrong way round", "processes:\n  a:\n    command: x\n    restart: {when: always, min_backoff: 2s, max_backoff: 1s}\n",
			"dir/p.yaml:4: process a: restart: max_backoff 1s is less than min_backoff 2s"},
		{"ports that are none", `processes:
  a:
    command: x
    ready:
      tcp: "127.0.0.1:99999"
      http: http://127.0.0.1:99999/
  b: {command: x, ready: {tcp: ":0"}}
  c: {command: x, ready: {tcp: "localhost:-1"}}
  d: {command: x, ready: {tcp: "localhost:no such service"}}
  e: {command: x, ready: {tcp: "localhost:"}}
  f: {command: x, ready: {http: "http://localhost:0"}}
`, `
			dir/p.yaml:5: process a: ready: tcp: want a port from 1 to 65535, or the name of a service, got "99999"
			dir/p.yaml:6: process a: ready: http: want a port from 1 to 65535, got "99999"
			dir/p.yaml:7: process b: ready: tcp: want a port from 1 to 65535, or the name of a service, got "0"
			dir/p.yaml:8: process c: ready: tcp: want a port from 1 to 65535, or the name of a service, got "-1"
			dir/p.yaml:9: process d: ready: tcp: want a port from 1 to 65535, or the name of a service, got "no such service"
			dir/p.yaml:10: process e: ready: tcp: want host:port, got "localhost:"
			dir/p.yaml:11: process f: ready: http: want a port from 1 to 65535, got "0"`},
		{"duplicate names", "processes:\n  a: {command: x}\n  a: {command: y}\n", `dir/p.yaml:3: processes: duplicate key "a" (first on line 2)`},
		{"duplicate names in a list", "processes:\n- {name: a, command: x}\n- {name: a, command: y}\n- {command: z}\n- text\n", `
			dir/p.yaml:3: duplicate process name "a" (first on line 2)
			dir/p.yaml:4: processes[2]: no name
			dir/p.yaml:5: processes[3]: want a mapping, got a str`},
		{"a cycle", "processes:\n  a: {command: x, depends_on: [b]}\n  b:\n    command: x\n    depends_on:\n      c: ready\n      a: started\n  c: {command: x, depends_on: [c]}\n", `
			dir/p.yaml:7: processes depend on each other: a → b → a
			dir/p.yaml:8: processes depend on each other: c → c`},
		{"what never ends", "processes:\n  a: {command: x, restart: always}\n  b: {command: x, depends_on: {a: exited-successfully}}\n",
			"dir/p.yaml:3: process b: depends_on: a never exits for good: it has restart: always"},
		{"an anchor in itself", "x-a: &a {<<: *a, command: x}\nprocesses:\n  b: *a\n  c: {<<: 1}\n", `
			dir/p.yaml:4: process c: <<: want a mapping, got a int
			dir/p.yaml:4: process c: no command`},
	} {
		t.Run(test.name, func(t *testing.T) {
			pool, err := parseText(test.text, map[string]string{"/dir/bad.env": "A=1\n!\n"})
			require.Error(t, err, "it was taken: %+v", pool)
			compare(t, strings.Split(err.Error(), "\n"), test.want)
		})
	}
}

//go:build unix

package up_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

func TestUpStartsInOrder(t *testing.T) {
	file := clitest.PoolYAML(t, `
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
	assert.Zero(t, code, "exit code")
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
			file := clitest.PoolYAML(t, `
x-orderly: &orderly
  env: {`+clitest.AsHelper+`: orderly}
  ready: {pattern: up}
processes:
  worker: {<<: *orderly, command: [SELF, order, worker], depends_on: {web: ready, cron: ready}}
  cron: {<<: *orderly, command: [SELF, order, cron], depends_on: {once: exited-successfully}}
  once: {command: 'true', depends_on: {db: ready}}
  web: {<<: *orderly, command: [SELF, order, web], depends_on: {db: ready}}
  db: {<<: *orderly, command: [SELF, order, db]}
`)
			s := onScreen(t, file)
			s.Expect("worker started")
			s.Expect("worker | up")
			if key == "signal" {
				s.Cmd.Process.Signal(syscall.SIGTERM)
			} else {
				s.Key(key)
			}
			s.Expect("stopping; Ctrl-C again to kill")
			s.Expect("db stopped: exit status 0")
			s.Ends(0)
			data, err := os.ReadFile(filepath.Join(filepath.Dir(file), "order"))
			require.NoError(t, err)
			order := strings.Split(strings.TrimSpace(string(data)), "\n")
			for _, pair := range [][2]string{{"worker gone", "web asked"}, {"worker gone", "cron asked"}, {"web gone", "db asked"}, {"cron gone", "db asked"}} {
				first, then := slices.Index(order, pair[0]), slices.Index(order, pair[1])
				assert.GreaterOrEqual(t, first, 0, "%q is not in %q", pair[0], order)
				assert.Less(t, first, then, "%q is not before %q in %q", pair[0], pair[1], order)
			}
		})
	}
}

func TestUpIsKilledBySecondInterrupt(t *testing.T) {
	file := clitest.PoolYAML(t, `
processes:
  one: {command: [SELF], env: {`+clitest.AsHelper+`: stubborn}, grace: 1h, ready: {pattern: '\d'}}
  two: {command: [SELF], env: {`+clitest.AsHelper+`: stubborn}, grace: 1h, ready: {pattern: '\d'}, depends_on: {one: ready}, restart: always}
`)
	s := onScreen(t, file)
	s.Expect("two ready")
	s.Key("\x03")
	s.Expect("stopping; Ctrl-C again to kill")
	testkit.Eventually(t, func(c *assert.CollectT) {
		s.Key("\x03")
		assert.True(c, s.Shows("killing"), "it is not killed")
	})
	s.Ends(0)
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
			r := clitest.Run(t, append(append([]string{"up"}, test.flags...), clitest.PoolYAML(t, "processes:\n  "+test.processes))...)
			assert.Equal(t, test.code, r.Code, "exit code")
			assert.NotContains(t, r.Stdout, "never")
			inOrder(t, r.Stderr, test.says...)
		})
	}
}

func TestUpKeepsGoing(t *testing.T) {
	file := clitest.PoolYAML(t, `
processes:
  first: {command: 'echo $$ > first; exit 4'}
  second: {command: 'read x < fifo; exit 5', depends_on: {fifo: exited-successfully}}
  third: {command: 'until test -s first; do sleep 0.01; done; while kill -0 $(cat first); do sleep 0.01; done; echo > fifo', depends_on: [second]}
  fifo: {command: mkfifo fifo}
`)
	r := clitest.Run(t, "up", "--keep-going", file)
	assert.Equal(t, 4, r.Code, "exit code, which is that of the first that failed")
	assert.NotContains(t, r.Stderr, "stopping")
	for _, says := range []string{"first exited: exit status 4\n", "second exited: exit status 5\n", "third exited: exit status 0\n"} {
		inOrder(t, r.Stderr, regexp.QuoteMeta(says))
	}
}

func TestUpRestarts(t *testing.T) {
	file := clitest.PoolYAML(t, `
processes:
  worker:
    command: 'printf "attempt\nno end"; echo x >> tries; test $(wc -l < tries) -gt 2'
    restart: {when: on-failure, min_backoff: 100ms}
`)
	text, code := upTogether(t, file)
	assert.Zero(t, code, "exit code")
	inOrder(t, text, `^system \| worker started`, `^worker \| attempt$`, `^worker \| no end$`,
		`^system \| worker exited: exit status 1, restarting in \d+m?s$`, `^system \| worker exited: exit status 1, restarting`,
		`^system \| worker exited: exit status 0$`)
	assert.Equal(t, 3, strings.Count(text, "worker | no end\n"), "attempts in:\n%s", text)
}

//go:build linux

package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
)

// Process IDs that go round, in a PID namespace whose next one can be chosen
// (pid_namespaces(7), ns_last_pid). Who was born when is not to be told by numbers then,
// and one that has had the stop signal may leave its number to one that has not.

// namespaceVar is set in the namespace.
const namespaceVar = "PROCESSION_FAULTS_NAMESPACE"

func TestEndedAfterAWrap(t *testing.T) {
	if os.Getenv(namespaceVar) != "" {
		t.Run("rows", wrapped)
		return
	}
	switch {
	case *rows == 0:
		t.Skip("run with -rows")
	case os.Geteuid() != 0:
		t.Skip("needs root, for a PID namespace")
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", `mount -t proc proc /proc && "$0" "$@"; exit $?`, os.Args[0],
		"-test.run=^TestEndedAfterAWrap$", "-test.v", "-test.count=1"}, passedOn(t)...)...)
	cmd.Env = append(os.Environ(), namespaceVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID, Unshareflags: unix.CLONE_NEWNS}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Skip("needs a PID namespace: ", err)
	}
	err := cmd.Wait()
	t.Log(said.String())
	assert.NoError(t, err)
}

// passedOn are flags for this binary when it tests the same in other circumstances.
func passedOn(t *testing.T) (flags []string) {
	t.Helper()
	flags = []string{"-rows=" + strconv.Itoa(*rows), "-test.parallel=" + flag.Lookup("test.parallel").Value.String()}
	if deadline, any := t.Deadline(); any {
		flags = append(flags, "-test.timeout="+(time.Until(deadline)*9/10).String())
	}
	return flags
}

func wrapped(t *testing.T) {
	for _, kind := range []struct {
		name string
		spec procession.Spec
		end  func(r *run, id string)
	}{
		{"workers", python(t, master, "ends before"), tellsOnce(2)},
		{"workers of one that dies", python(t, master, "dies"), tellsOnce(2)},
		{"workers in sessions", python(t, master, "ends before", "sessions"), tellsOnce(2)},
		{"workers in sessions of one that waits", python(t, master, "waits", "sessions"), tellsOnce(2)},
		{"a handler behind a wrapper", procession.Shell(`bash -c "$H" & wait`), sleptOnce},
		{"a handler in a session", procession.Shell(`setsid bash -c "$H" & wait`), sleptOnce},
		{"anew, a child", anew[0].spec(t), endsAnew},
		{"anew, a session", anew[1].spec(t), endsAnew},
		{"anew, a double fork", anew[2].spec(t), endsAnew},
		{"anew, a chain", chained("setsid sh"), endsAnew},
	} {
		t.Run(kind.name+", before the stop", func(t *testing.T) {
			var low, high = meeting{size: min(10, *rows)}, meeting{size: min(10, *rows)}
			rowInOrder(t, 10, func(r *run) {
				high.meet(r, func() { next(r, highest(r)-2000) })
				id := r.startOn(kind.spec)
				low.meet(r, func() { goRound(r) })
				kind.end(r, id)
			})
		})
	}
	for _, kind := range []struct{ name, handler, said string }{
		{"anew, a child", `sleep 1000 & exit 0`, "heard\n"},
		{"anew, a session", `setsid sleep 1000 & exit 0`, "heard\n"},
		{"anew, a double fork", `(setsid sleep 1000 &); exit 0`, "heard\n"},
		{"anew, a double fork in the group", `(sleep 1000 &); exit 0`, "heard\n"},
		{"a handler", cleanUp + `; exit 0`, "heard\nslept 0\n"},
		{"a handler that executes its clean-up", `exec bash -c "$CLEANUP"`, "heard\nslept 0\n"},
	} {
		for name, line := range map[string]string{"": `eval "$LINE"`, ", behind a wrapper": `bash -c "$LINE" & wait`, ", in a session": `setsid bash -c "$LINE" & wait`} {
			t.Run(kind.name+name+", in the grace", func(t *testing.T) {
				var low, high = meeting{size: min(10, *rows)}, meeting{size: min(10, *rows)}
				rowInOrder(t, 10, func(r *run) {
					high.meet(r, func() { next(r, highest(r)-2000) })
					spec := bash(line)
					spec.Env = map[string]string{"LINE": `term() { echo heard >>"$TOLD"; until [ -e "$TOLD.go" ]; do sleep 0.02; done; ` + kind.handler +
						`; }; trap term TERM; echo on; while :; do sleep 0.1; done`}
					id := r.startOn(spec)
					killed := make(chan struct{})
					go func() {
						defer close(killed)
						r.kill(id)
					}()
					r.hears("heard")
					low.meet(r, func() { goRound(r) })
					require.NoError(r, os.WriteFile(r.told+".go", nil, 0o644))
					<-killed
					assert.Equal(r, kind.said, r.said())
					r.nothingLeft()
				})
			})
		}
	}
	t.Run("a number that is used again", func(t *testing.T) {
		var again atomic.Int32
		for name, session := range map[string]string{"in the group": "", "in a session": "session"} {
			t.Run(name, func(t *testing.T) {
				again.Store(0)
				row(t, 1, func(r *run) {
					r.mayBeLate = true // used again within a clock tick it cannot be told from the one before
					spec := python(t, usesItAgain, session)
					spec.Grace = 2 * time.Second
					id := r.startOn(spec)
					killed := make(chan struct{})
					go func() {
						defer close(killed)
						r.within(spec.Grace/2, "Kill", func() error {
							_, err := r.eng.Kill(r.ctx, id)
							return err
						})
					}()
					r.hears("ended")
					var first, second int
					_, err := fmt.Sscanf(r.said(), "ended %d\n", &first)
					require.NoError(r, err)
					next(r, first)
					require.NoError(r, os.WriteFile(r.told+".go", nil, 0o644))
					<-killed
					_, err = fmt.Sscanf(r.said(), "ended %d\nagain %d\n", &first, &second)
					require.NoError(r, err)
					if first == second { // and not a thread's of somebody
						again.Add(1)
					}
					r.nothingLeft()
				})
				assert.GreaterOrEqual(t, int(again.Load()), *rows/2, "it has hardly been used again")
			})
		}
	})
}

// usesItAgain starts one that ends, and when it hears the stop signal another.
const usesItAgain = `
session = bool(sys.argv[1])
child = subprocess.Popen(["sleep", "1000"], start_new_session=session)
def term(*_):
    child.wait()
    tell("ended %d" % child.pid)
    while not os.path.exists(os.environ["TOLD"] + ".go"):
        time.sleep(0.005)
    tell("again %d" % subprocess.Popen(["sleep", "1000"], start_new_session=session).pid)
    os._exit(0)
signal.signal(signal.SIGTERM, term)
time.sleep(0.1)
os.write(1, b"on\n")
while True:
    time.sleep(1)`

// tellsOnce kills a master with so many workers, and wants each to hear it once.
func tellsOnce(workers int) func(r *run, id string) {
	return func(r *run, id string) {
		r.kill(id)
		said := r.said()
		assert.Equal(r, workers, strings.Count(said, "worker heard\n"), "%q", said)
		assert.Equal(r, workers, strings.Count(said, "worker done\n"), "%q", said)
		assert.LessOrEqual(r, strings.Count(said, "master heard\n"), 1, "%q", said)
		r.nothingLeft()
	}
}

func sleptOnce(r *run, id string) {
	r.mayBeLate = true
	r.kill(id)
	assert.Equal(r, "slept 0\n", r.said())
	r.nothingLeft()
}

// rowInOrder is a row beside which there is no other.
func rowInOrder(t *testing.T, atOnce int, one func(r *run)) {
	t.Helper()
	t.Run("runs", func(t *testing.T) { row(t, atOnce, one) })
}

// meeting is where so many runs wait for each other.
type meeting struct {
	size int

	mu   sync.Mutex
	here int
	over chan struct{}
}

// meet waits until all are there, and what the last one does then is done.
func (m *meeting) meet(r *run, do func()) {
	m.mu.Lock()
	if m.here++; m.here == 1 {
		m.over = make(chan struct{})
	}
	over := m.over
	if m.here == m.size {
		m.here = 0
		defer close(over)
		defer m.mu.Unlock()
		do()
		return
	}
	m.mu.Unlock()
	select {
	case <-over:
	case <-r.ctx.Done():
		require.NoError(r, r.ctx.Err())
	}
}

// highest is the number after which they go round.
func highest(r *run) int {
	text, err := os.ReadFile("/proc/sys/kernel/pid_max")
	require.NoError(r, err)
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	require.NoError(r, err)
	return n
}

// next makes n the process ID that is given out next.
func next(r *run, n int) {
	require.NoError(r, os.WriteFile("/proc/sys/kernel/ns_last_pid", strconv.AppendInt(nil, int64(n-1), 10), 0))
}

// goRound makes the numbers go round.
func goRound(r *run) {
	next(r, highest(r)-2)
	for range 4 {
		cmd := exec.Command("true")
		require.NoError(r, cmd.Run())
		if cmd.Process.Pid < 1000 {
			return
		}
	}
	assert.Fail(r, "the numbers have not gone round")
}

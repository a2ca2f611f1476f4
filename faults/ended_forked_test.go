//go:build linux

package faults

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession"
)

// Members that were forked and never executed a program of their own: workers of a
// master, subshells. They have had the stop signal like everybody else, and are not
// young because of what they have not done.

// master is a master with two workers that take 0.6 s to end. What becomes of it depends
// on its arguments.
const master = `
how = sys.argv[1:]
r, w = os.pipe()
def worker(n):
    def term(*_):
        tell("worker heard")
        time.sleep(0.6)
        tell("worker done")
        os._exit(0)
    if "sessions" in how:
        os.setsid()
    signal.signal(signal.SIGTERM, term)
    os.write(w, b".")
    while True:
        time.sleep(0.05)
workers = []
for n in range(2):
    pid = os.fork()
    if pid == 0:
        worker(n)
    workers.append(pid)
def term(*_):
    tell("master heard")
    s = subprocess.call(["sleep", "0.3"])
    tell("master slept %d" % s)
    if "waits" in how:
        for pid in workers:
            tell("worker returned %d" % os.waitpid(pid, 0)[1])
    os._exit(0)
if "dies" not in how:
    signal.signal(signal.SIGTERM, term)
while workers and os.read(r, 1) and os.read(r, 1):
    os.write(1, b"on\n")
    while True:
        time.sleep(1)`

func TestEndedWorkersOfAMasterFinish(t *testing.T) {
	workers := []string{"worker done\n", "worker done\n", "worker heard\n", "worker heard\n"}
	itself := []string{"master heard\n", "master slept 0\n"}
	for _, m := range []struct {
		how  string
		want []string
	}{
		{"waits", slices.Concat(itself, workers, []string{"worker returned 0\n", "worker returned 0\n"})},
		{"ends before", slices.Concat(itself, workers)},
		{"dies", workers},
		{"waits, sessions", slices.Concat(itself, workers, []string{"worker returned 0\n", "worker returned 0\n"})},
		{"dies, sessions", workers},
	} {
		slices.Sort(m.want)
		t.Run(m.how, func(t *testing.T) {
			spec := python(t, master, strings.Split(m.how, ", ")...)
			row(t, 20, func(r *run) {
				r.kill(r.startOn(spec))
				assert.Equal(r, m.want, r.lines())
				r.nothingLeft()
			})
		})
	}
}

// subshell is a body of one that has a handler.
const subshell = `trap 'echo heard >>"$TOLD"; sleep 0.3; echo slept $? >>"$TOLD"; exit' TERM; echo on; while :; do sleep 0.1; done`

var forked = []struct {
	name string
	spec func(t *testing.T) procession.Spec
}{
	{"bash", func(*testing.T) procession.Spec { return bash(`(` + subshell + `) & wait`) }},
	{"dash", func(*testing.T) procession.Spec { return procession.Shell(`(` + subshell + `) & wait`) }},
	{"bash, the shell waits", func(*testing.T) procession.Spec { return bash(`trap 'wait; exit 0' TERM; (` + subshell + `) & wait`) }},
	{"bash, nested", func(*testing.T) procession.Spec { return bash(`( (` + subshell + `) & wait) & wait`) }},
	{"bash, a coprocess", func(*testing.T) procession.Spec {
		return bash(`exec 3>&1; coproc { exec >&3; ` + subshell + `; }; wait`)
	}},
	{"bash, an orphan", func(*testing.T) procession.Spec { return bash(`( (` + subshell + `) & ); exec sleep 1000`) }},
	{"bash, a job in a group", func(*testing.T) procession.Spec { return bash(`set -m; (` + subshell + `) & wait`) }},
	{"perl", func(t *testing.T) procession.Spec {
		return perl(t, `
if (!fork) {
	$SIG{TERM} = sub { tell_("heard"); my $s = system("sleep", "0.3"); tell_("slept $s"); exit 0 };
	print "on\n";
	sleep 1 while 1;
}
wait;`)
	}},
	{"perl, a session", func(t *testing.T) procession.Spec {
		return perl(t, `
use POSIX;
if (!fork) {
	POSIX::setsid();
	$SIG{TERM} = sub { tell_("heard"); my $s = system("sleep", "0.3"); tell_("slept $s"); exit 0 };
	print "on\n";
	sleep 1 while 1;
}
wait;`)
	}},
}

func TestEndedForkedHandlersFinish(t *testing.T) {
	for _, f := range forked {
		t.Run(f.name, func(t *testing.T) {
			spec := f.spec(t)
			row(t, 20, func(r *run) {
				r.kill(r.startOn(spec))
				assert.Equal(r, "heard\nslept 0\n", r.said())
				r.nothingLeft()
			})
		})
	}
}

// executes is a body whose handler executes the clean-up in its own place.
const executes = `trap 'exec bash -c "$CLEANUP"' TERM; echo on; while :; do sleep 0.1; done`

var inPlace = []struct {
	name string
	spec func(t *testing.T) procession.Spec
}{
	{"a subshell", func(*testing.T) procession.Spec { return bash(`(` + executes + `) & wait`) }},
	{"a subshell of dash", func(*testing.T) procession.Spec { return procession.Shell(`(` + executes + `) & wait`) }},
	{"a subshell, and the shell waits", func(*testing.T) procession.Spec { return bash(`trap 'wait; exit 0' TERM; (` + executes + `) & wait`) }},
	{"the leader", func(*testing.T) procession.Spec { return bash(executes) }},
	{"an executed one", func(*testing.T) procession.Spec {
		return bash(`bash -c '` + strings.ReplaceAll(executes, "'", `'\''`) + `' & wait`)
	}},
	{"a job in a group", func(*testing.T) procession.Spec { return bash(`set -m; (` + executes + `) & wait`) }},
	{"a worker in python", func(t *testing.T) procession.Spec { return python(t, executesInPython) }},
	{"a worker in python, in a session", func(t *testing.T) procession.Spec { return python(t, executesInPython, "session") }},
	{"twice", func(*testing.T) procession.Spec {
		return bash(`(trap 'exec bash -c "sleep 0.2; exec bash -c \"\$CLEANUP\""' TERM; echo on; while :; do sleep 0.1; done) & wait`)
	}},
}

const executesInPython = `
if os.fork() == 0:
    if sys.argv[1:]:
        os.setsid()
    signal.signal(signal.SIGTERM, lambda *_: os.execvp("bash", ["bash", "-c", os.environ["CLEANUP"]]))
    os.write(1, b"on\n")
    while True:
        time.sleep(1)
os.wait()`

func TestEndedHandlersThatExecuteTheirCleanUpFinish(t *testing.T) {
	for _, p := range inPlace {
		t.Run(p.name, func(t *testing.T) {
			spec := p.spec(t)
			row(t, 20, func(r *run) { finishes(r, spec) })
		})
	}
}

// A master forks a worker every 0.5 ms. Each tells whenever it hears the stop signal, and
// when it is done, some time after the first. One that is being forked may lose it, as
// its parent's handler is still its own, so that it ends by itself.
const breeder = `
how = sys.argv[1:]
heard = set() # by whom: what is forked right after its parent has heard it inherits that
def term(*_):
    heard.add(os.getpid())
    if os.getpid() != leader:
        tell("heard %d" % os.getpid())
leader = os.getpid()
signal.signal(signal.SIGTERM, term)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
n = 0
while not heard and n < 200:
    if os.fork() == 0:
        if "sessions" in how:
            os.setsid()
        me, begun = os.getpid(), time.monotonic()
        while me not in heard and time.monotonic() - begun < 1.5:
            time.sleep(0.05)
        if me in heard:
            time.sleep(0.4)
            tell("done %d" % me)
        os._exit(0)
    n += 1
    if n == 20:
        os.write(1, b"on\n")
    time.sleep(0.0005)
while not heard:
    time.sleep(0.01)
if "waits" in how:
    time.sleep(0.6)
os._exit(0)`

func TestEndedWorkersThatCountHearOnce(t *testing.T) {
	for name, spec := range map[string]func(t *testing.T) procession.Spec{
		"python":           func(t *testing.T) procession.Spec { return python(t, breeder) },
		"python, waits":    func(t *testing.T) procession.Spec { return python(t, breeder, "waits") },
		"python, sessions": func(t *testing.T) procession.Spec { return python(t, breeder, "sessions") },
	} {
		t.Run(name, func(t *testing.T) {
			spec := spec(t)
			row(t, 2, func(r *run) {
				r.kill(r.startOn(spec))
				heard, done := map[string]int{}, 0
				for line := range strings.Lines(r.said()) {
					what, pid, _ := strings.Cut(line, " ")
					if what == "done" {
						done++
						continue
					}
					if heard[pid]++; heard[pid] == 2 {
						assert.Fail(r, "it has heard it twice", pid)
					}
				}
				assert.NotEmpty(r, heard)
				assert.Equal(r, len(heard), done, "as many have heard it, and as many are done")
				r.nothingLeft()
			})
		})
	}
}

// anew are programs that start themselves anew when they hear the stop signal, and end.
// What they have started is an orphan then, and has to hear it, too.
var anew = []struct {
	name string
	spec func(t *testing.T) procession.Spec
}{
	{"a child", anewBy(`sleep 1000 & exit 0`)},
	{"a session", anewBy(`setsid sleep 1000 & exit 0`)},
	{"a double fork", anewBy(`(setsid sleep 1000 &); exit 0`)},
	{"a double fork in the group", anewBy(`(sleep 1000 &); exit 0`)},
	{"after a while", anewBy(`sleep 0.2; setsid sleep 1000 & sleep 0.2; exit 0`)},
	{"a chain", func(*testing.T) procession.Spec { return chained(`sh`) }},
	{"a chain of sessions", func(*testing.T) procession.Spec { return chained(`setsid sh`) }},
	{"one that was forked", anewBy(`(trap 'echo heard >>"$TOLD"; exit' TERM; : >"$TOLD.up"; while :; do sleep 0.1; done) & until [ -e "$TOLD.up" ]; do sleep 0.02; done; exit 0`)},
	{"under a wrapper", func(*testing.T) procession.Spec {
		return procession.Shell(`sh -c 'trap "setsid sleep 1000 & exit 0" TERM; echo on; while :; do sleep 0.1; done' & wait`)
	}},
	{"python", func(t *testing.T) procession.Spec {
		return python(t, `
def term(*_):
    subprocess.Popen(["sleep", "1000"], start_new_session=True)
    os._exit(0)
signal.signal(signal.SIGTERM, term)
os.write(1, b"on\n")
while True:
    time.sleep(1)`)
	}},
	{"python, one that counts", func(t *testing.T) procession.Spec { return python(t, anewThatCounts) }},
}

func anewBy(handler string) func(*testing.T) procession.Spec {
	return func(*testing.T) procession.Spec {
		return procession.Spec{Command: "/bin/sh", Args: []string{"-c", `term() { ` + handler + `; }; trap term TERM; echo on; while :; do sleep 0.1; done`}}
	}
}

// chained does so three times.
func chained(by string) procession.Spec {
	const link = `n=$1; trap '[ $n -gt 0 ] && $BY -c "$LINK" sh $((n - 1)) & exit 0' TERM; [ $n -lt 3 ] || echo on; while :; do sleep 0.1; done`
	return procession.Spec{Command: "/bin/sh", Args: []string{"-c", link, "sh", "3"}, Env: map[string]string{"LINK": link, "BY": by}}
}

// anewThatCounts ends when the one that it has forked is there to hear.
const anewThatCounts = `
def term(*_):
    r, w = os.pipe()
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, lambda *_: tell("heard"))
        os.setsid()
        os.write(w, b".")
        begun = time.monotonic()
        while not os.path.exists(os.environ["TOLD"]) and time.monotonic() - begun < 20:
            time.sleep(0.02)
        time.sleep(0.4)
        tell("done")
        os._exit(0)
    os.read(r, 1)
    os._exit(0)
signal.signal(signal.SIGTERM, term)
os.write(1, b"on\n")
while True:
    time.sleep(1)`

// endsAnew kills such a program, and wants what it has started to have heard it once,
// and at once.
func endsAnew(r *run, id string) {
	r.kill(id)
	if said, err := os.ReadFile(r.told); err == nil {
		assert.LessOrEqual(r, strings.Count(string(said), "heard\n"), 1, "%q", said)
	}
	r.nothingLeft()
}

func TestEndedWhatStartsItselfAnewIsFound(t *testing.T) {
	for _, a := range anew {
		t.Run(a.name, func(t *testing.T) {
			spec := a.spec(t)
			row(t, 20, func(r *run) { endsAnew(r, r.startOn(spec)) })
		})
	}
}

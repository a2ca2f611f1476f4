//go:build linux

package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
)

// Each tree prints the process IDs of its n descendants, then stays.
var trees = []struct {
	name string
	n    int
	line string
}{
	{"grandchild in the group", 1, `sleep 1000 & echo $!; wait`},
	{"setsid grandchild", 1, `setsid sh -c 'echo $$; exec sleep 1000' & wait`},
	{"double-forked daemon", 1, `(setsid sh -c '(sh -c "echo \$\$; exec sleep 1000 >/dev/null 2>&1 </dev/null" &)' &); sleep 1000`},
	{"closed output", 1, `setsid sh -c 'echo $$; exec sleep 1000 >&- 2>&- <&-' & wait`},
	{"two hundred", 200, `i=0; while [ $i -lt 200 ]; do sleep 1000 & echo $!; i=$((i+1)); done; wait`},
	{"two hundred that left", 200, `i=0; while [ $i -lt 200 ]; do setsid sh -c 'echo $$; exec sleep 1000' & i=$((i+1)); done; wait`},
	{"three generations", 3, `sh -c 'echo $$; setsid sh -c "echo \$\$; sh -c \"echo \\\$\\\$; exec sleep 1000\"; :"; :'; :`},
}

func TestTreeEndsWithKill(t *testing.T) {
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			t.Parallel()
			eng := newEngine(t)
			id := start(t, eng, procession.Shell(tree.line))
			descendants := pids(t, eng, id, tree.n)
			if _, err := eng.Kill(soon(t), id); err != nil {
				t.Fatal(err)
			}
			gone(t, descendants...)
		})
	}
}

func TestTreeEndsWithRelease(t *testing.T) {
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			t.Parallel()
			eng := newEngine(t)
			id := start(t, eng, procession.Shell(tree.line))
			descendants := pids(t, eng, id, tree.n)
			if err := eng.Release(soon(t), id); err != nil {
				t.Fatal(err)
			}
			gone(t, descendants...)
		})
	}
}

func TestTreeEndsWithShutdown(t *testing.T) {
	name := uuid.NewString()
	eng := newEngine(t, procession.WithID(name))
	var descendants []int
	for _, tree := range trees {
		descendants = append(descendants, pids(t, eng, start(t, eng, procession.Shell(tree.line)), tree.n)...)
	}
	report, err := eng.Shutdown(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	gone(t, descendants...)
	if left := marked(name); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if want := (procession.ShutdownReport{Terminated: len(trees)}); report != want {
		t.Errorf("report %+v, want %+v", report, want)
	}
}

func TestTreeEndsWithItsLeader(t *testing.T) {
	for _, tree := range trees {
		t.Run(tree.name, func(t *testing.T) {
			t.Parallel()
			eng := newEngine(t)
			spec := procession.Shell(tree.line)
			id := start(t, eng, spec)
			descendants := pids(t, eng, id, tree.n)
			info, err := eng.Info(soon(t), id)
			if err != nil {
				t.Fatal(err)
			}
			// The leader ends by itself, as far as the engine knows.
			if err := exec.Command("/bin/kill", "-KILL", fmt.Sprint(info.PID)).Run(); err != nil {
				t.Fatal(err)
			}
			exit, err := eng.Wait(soon(t), id)
			if err != nil || exit.Signal != "SIGKILL" || exit.Cause != procession.CauseExited {
				t.Fatalf("%+v, %v", exit, err)
			}
			eventually(t, 10*time.Second, "descendants gone", func() bool {
				for _, pid := range descendants {
					if alive(pid) {
						return false
					}
				}
				return true
			})
		})
	}
}

func TestLeaderThatIgnoresTERM(t *testing.T) {
	eng := newEngine(t)
	spec := procession.Shell(`trap '' TERM; echo $$; while :; do sleep 1000; done`)
	spec.Grace = 300 * time.Millisecond
	id := start(t, eng, spec)
	pid := pids(t, eng, id, 1)
	begin := time.Now()
	exit, err := eng.Kill(soon(t), id)
	if err != nil || exit.Signal != "SIGKILL" || exit.Cause != procession.CauseKilled {
		t.Fatalf("%+v, %v", exit, err)
	}
	if took := time.Since(begin); took < spec.Grace {
		t.Errorf("killed after %v, before its grace", took)
	}
	gone(t, pid...)
}

func TestGrandchildThatIgnoresTERM(t *testing.T) {
	for _, line := range []string{
		`sh -c 'trap "" TERM; echo $$; while :; do sleep 1000; done' & wait`,
		`setsid sh -c 'trap "" TERM; echo $$; while :; do sleep 1000; done' & wait`,
	} {
		eng := newEngine(t)
		spec := procession.Shell(line)
		spec.Grace = 300 * time.Millisecond
		id := start(t, eng, spec)
		grandchild := pids(t, eng, id, 1)
		exit, err := eng.Kill(soon(t), id)
		if err != nil || exit.Signal != "SIGTERM" {
			t.Fatalf("%+v, %v", exit, err)
		}
		gone(t, grandchild...)
		report, err := eng.Shutdown(soon(t))
		if err != nil || report != (procession.ShutdownReport{}) {
			t.Errorf("%+v, %v", report, err)
		}
	}
}

func TestStoppedGroup(t *testing.T) {
	eng := newEngine(t)
	id := start(t, eng, procession.Shell(`sleep 1000 & echo $!; echo $$; kill -STOP 0; wait`))
	stopped := pids(t, eng, id, 2)
	eventually(t, 10*time.Second, "stopped", func() bool { return stat(stopped[0]) == "T" && stat(stopped[1]) == "T" })
	begin := time.Now()
	exit, err := eng.Kill(soon(t), id)
	if err != nil || exit.Signal != "SIGTERM" {
		t.Fatalf("%+v, %v", exit, err)
	}
	if took := time.Since(begin); took >= procession.DefaultGrace {
		t.Errorf("it took the whole grace, %v", took)
	}
	gone(t, stopped...)
}

func TestStoppedDescendantOutsideTheGroup(t *testing.T) {
	eng := newEngine(t)
	id := start(t, eng, procession.Shell(`setsid sh -c 'echo $$; kill -STOP $$; sleep 1000' & wait`))
	descendant := pids(t, eng, id, 1)[0]
	eventually(t, 10*time.Second, "it is stopped", func() bool { return stat(descendant) == "T" })
	begin := time.Now()
	if _, err := eng.Kill(soon(t), id); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("Kill took %v: it did not hear the stop signal", took)
	}
	gone(t, descendant)
}

// The environment of a process whose first thread has ended reads as empty.
func TestDescendantWithoutItsFirstThread(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip(err)
	}
	eng := newEngine(t)
	id := start(t, eng, procession.Shell(`setsid python3 -c '
import ctypes, os, threading, time
threading.Thread(target=time.sleep, args=(1000,)).start()
print(os.getpid(), flush=True)
ctypes.CDLL(None).pthread_exit(0)' & wait`))
	descendant := pids(t, eng, id, 1)[0]
	eventually(t, 10*time.Second, "its first thread has ended", func() bool { return stat(descendant) == "Z" })
	t.Cleanup(func() { syscall.Kill(descendant, syscall.SIGKILL) })
	if _, err := eng.Kill(soon(t), id); err != nil {
		t.Fatal(err)
	}
	if threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", descendant)); len(threads) > 1 {
		t.Errorf("Kill has been answered, and it has still threads: %v", threads)
	}
}

func init() { helpers["holder"] = holder }

// holder becomes a process that takes long to exit, because it frees 256 MiB of a
// file after its memory, and with that its environment, is gone.
func holder([]string) {
	fd, err := unix.MemfdCreate("held", 0)
	if err == nil {
		err = unix.Fallocate(fd, 0, 0, 256<<20)
	}
	if err != nil {
		panic(err)
	}
	fmt.Println(os.Getpid())
	for _, fd := range []int{1, 2} {
		unix.Dup2(0, fd) // the null device
	}
	panic(unix.Exec("/bin/sleep", []string{"sleep", "1000"}, os.Environ()))
}

// startHolder starts a leader with a holder that has left its group.
func startHolder(t *testing.T, eng *procession.Engine) (id string, held int) {
	t.Helper()
	spec := procession.Shell(`setsid "$0" & exec >/dev/null; wait`)
	spec.Args = append(spec.Args, os.Args[0])
	spec.Env = map[string]string{helperVar: "holder"}
	id = start(t, eng, spec)
	held = pids(t, eng, id, 1)[0]
	becomesSleep(t, held)
	return id, held
}

func TestOneThatTakesLongToExitIsWaitedFor(t *testing.T) {
	for name, end := range map[string]func(eng *procession.Engine, id string) error{
		"kill":     func(eng *procession.Engine, id string) error { _, err := eng.Kill(soon(t), id); return err },
		"release":  func(eng *procession.Engine, id string) error { return eng.Release(soon(t), id) },
		"shutdown": func(eng *procession.Engine, _ string) error { _, err := eng.Shutdown(soon(t)); return err },
	} {
		t.Run(name, func(t *testing.T) {
			eng := newEngine(t)
			id, held := startHolder(t, eng)
			if err := end(eng, id); err != nil {
				t.Fatal(err)
			}
			gone(t, held)
		})
	}
}

// One that nobody has looked at before it is exiting is waited for as well.
func TestOneThatIsExitingAlreadyIsWaitedFor(t *testing.T) {
	eng := newEngine(t)
	id, held := startHolder(t, eng)
	info, err := eng.Info(soon(t), id)
	if err != nil {
		t.Fatal(err)
	}
	for _, pid := range []int{held, info.PID} {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := eng.Kill(soon(t), id); err != nil {
		t.Fatal(err)
	}
	gone(t, held)
}

func TestPipeHeldOpenForAMinute(t *testing.T) {
	for _, line := range []string{`echo last words; sleep 60 &`, `echo last words; setsid sleep 60 &`} {
		eng := newEngine(t)
		begin := time.Now()
		id := start(t, eng, procession.Shell(line))
		exit, err := eng.Wait(soon(t), id)
		if err != nil || !exit.Success() {
			t.Fatalf("%v, %v", exit, err)
		}
		if took := time.Since(begin); took > 2*time.Second {
			t.Errorf("Wait took %v", took)
		}
		out, err := eng.Output(soon(t), id)
		if err != nil || out.Stdout() != "last words\n" {
			t.Errorf("%q, %v", out.Stdout(), err)
		}
	}
}

func TestDescendantThatStillPrints(t *testing.T) {
	eng := newEngine(t)
	id := start(t, eng, procession.Shell(`(i=0; while [ $i -lt 20 ]; do echo line $i; sleep 0.05; i=$((i+1)); done) & exit 7`))
	exit, err := eng.Wait(soon(t), id)
	if err != nil || exit.Code != 7 {
		t.Fatalf("%v, %v", exit, err)
	}
	out, err := eng.Output(soon(t), id)
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for i := range 20 {
		fmt.Fprintf(&want, "line %d\n", i)
	}
	if out.Stdout() != want.String() {
		t.Errorf("%q", out.Stdout())
	}
}

func TestDyingWordsOfADescendantAreKept(t *testing.T) {
	eng := newEngine(t)
	id := start(t, eng, procession.Shell(
		`trap 'exit 0' TERM; sh -c 'trap "sleep 0.6; echo dying words; exit" TERM; echo $$; while :; do sleep 0.05; done' & wait`))
	pids(t, eng, id, 1)
	if _, err := eng.Kill(soon(t), id); err != nil {
		t.Fatal(err)
	}
	out, err := eng.Output(soon(t), id)
	if err != nil || !strings.HasSuffix(out.Stdout(), "dying words\n") {
		t.Errorf("%q, %v", out.Stdout(), err)
	}
}

func TestLeftDescendants(t *testing.T) {
	for _, line := range []string{
		`sleep 1000 >/dev/null 2>&1 & echo $!`,
		`setsid sleep 1000 >/dev/null 2>&1 & echo $!`,
	} {
		spec := procession.Shell(line)
		spec.LeaveDescendants = true
		eng := newEngine(t)
		leave := func() (id string, descendant int) {
			id = start(t, eng, spec)
			if _, err := eng.Wait(soon(t), id); err != nil {
				t.Fatal(err)
			}
			return id, pids(t, eng, id, 1)[0]
		}
		killed, first := leave()
		released, second := leave()
		if err := eng.Release(soon(t), released); err != nil {
			t.Fatal(err)
		}
		if !alive(first) || !alive(second) {
			t.Fatal("a descendant has not outlived its leader, or its release")
		}
		if _, err := eng.Kill(soon(t), killed); err != nil {
			t.Fatal(err)
		}
		gone(t, first)
		if _, err := eng.Shutdown(soon(t)); err != nil {
			t.Fatal(err)
		}
		gone(t, second)
	}
}

func TestReleaseOfARunningLeaderLeavesDescendants(t *testing.T) {
	eng := newEngine(t)
	spec := procession.Shell(`sleep 1000 >/dev/null 2>&1 & echo $!; echo $$; wait`)
	spec.LeaveDescendants = true
	id := start(t, eng, spec)
	tree := pids(t, eng, id, 2)
	if err := eng.Release(soon(t), id); err != nil {
		t.Fatal(err)
	}
	if !alive(tree[0]) {
		t.Error("the descendant was ended")
	}
	gone(t, tree[1])
	if _, err := eng.Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	gone(t, tree[0])
}

func TestTerminalSessionEnds(t *testing.T) {
	eng := newEngine(t)
	id := start(t, eng, procession.Spec{Command: "bash", Args: []string{"--norc", "--noprofile", "-i", "-m", "-c",
		`exec 2>/dev/null; sleep 1000 & echo $!; env -i sleep 1000 & echo $!; wait`}, PTY: &procession.Size{Rows: 24, Cols: 80}})
	jobs := pids(t, eng, id, 2) // each in a group of its own; the second without marks
	if _, err := eng.Kill(soon(t), id); err != nil {
		t.Fatal(err)
	}
	gone(t, jobs...)
}

func TestOneKillSendsOneStopSignal(t *testing.T) {
	eng := newEngine(t)
	id := start(t, eng, procession.Shell(`trap 'echo got TERM' TERM; echo ready; n=0; while [ $n -lt 6 ]; do sleep 0.1; n=$((n+1)); done`))
	if _, err := eng.WaitFor(soon(t), id, ready); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 8 {
		go func() {
			_, err := eng.Kill(soon(t), id)
			done <- err
		}()
	}
	for range 8 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	out, err := eng.Output(soon(t), id)
	if got := strings.Count(out.Stdout(), "got TERM"); err != nil || got != 1 {
		t.Errorf("%d stop signals (%q), %v", got, out.Stdout(), err)
	}
}

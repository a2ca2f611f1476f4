//go:build linux

package faults

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

var slow = flag.Bool("slow", false, "run the slow tests too")

// helperVar names the helper that this binary is to be, instead of the tests.
const helperVar = "PROCESSION_FAULTS_HELPER"

var helpers = map[string]func(args []string){}

func TestMain(m *testing.M) {
	if procession.Init() {
		return
	}
	if name := os.Getenv(helperVar); name != "" {
		os.Unsetenv(helperVar)
		helpers[name](os.Args[1:])
		return
	}
	flag.Parse()
	testkit.Main(m)
}

// helper is a command that runs one of helpers in a process of its own.
func helper(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), helperVar+"="+name, "GORACE=atexit_sleep_ms=0") // the race detector lingers
	cmd.Stderr = os.Stderr
	return cmd
}

func onlySlow(t *testing.T) {
	t.Helper()
	if !*slow {
		t.Skip("slow: run with -slow")
	}
}

// soon is a context for what must not take long, on a machine that may be busy.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func newEngine(t testing.TB, opts ...procession.Option) *procession.Engine {
	t.Helper()
	eng, err := procession.New(opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := eng.Shutdown(soon(t)); err != nil && err.Error() != procession.ErrClosed.Error() {
			t.Errorf("shutdown: %v", err)
		}
	})
	return eng
}

func start(t testing.TB, eng *procession.Engine, spec procession.Spec) string {
	t.Helper()
	id, err := eng.Start(soon(t), spec)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// pids waits for the process to print n lines with a process ID each.
func pids(t testing.TB, eng *procession.Engine, id string, n int) []int {
	t.Helper()
	for chunk, err := range eng.Follow(soon(t), id, procession.ReadOptions{}) {
		if err != nil {
			t.Fatal(err)
		}
		out, err := eng.Output(soon(t), id)
		if err != nil {
			t.Fatal(err)
		}
		text := out.Stdout()
		if fields := strings.Fields(text); strings.Count(text, "\n") >= n {
			return numbers(t, fields[:n])
		}
		if chunk.EOF {
			t.Fatalf("it ended having printed %q", text)
		}
	}
	panic("unreachable")
}

func numbers(t testing.TB, fields []string) (numbers []int) {
	t.Helper()
	for _, f := range fields {
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatalf("not a process ID: %q", f)
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// alive reports whether a process exists and is not a zombie.
func alive(pid int) bool { return testkit.Alive(pid) }

// stat is the state of a process in /proc/PID/stat, "" if there is none.
func stat(pid int) string {
	if p, there := testkit.Look(pid); there {
		return string(p.State)
	}
	return ""
}

// marked are the living processes whose environment has the engine's mark.
func marked(engine string) (pids []int) { return carrying("PROCESSION_ENGINE=" + engine) }

// carrying are the living processes whose environment has an entry, by a look at
// /proc that owes nothing to the product's.
func carrying(entry string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, file := range files {
		env, err := os.ReadFile(file)
		if err == nil && bytes.Contains(append([]byte{0}, env...), []byte("\x00"+entry+"\x00")) {
			pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
			if alive(pid) {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

// leavesNothing fails the test if something is left of a process of an engine.
func leavesNothing(t testing.TB, id string) {
	t.Helper()
	gone(t, carrying("PROCESSION_ID="+id)...)
}

// eventually waits until a condition about the machine holds.
func eventually(t testing.TB, within time.Duration, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// becomesSleep waits until a process has executed sleep.
func becomesSleep(t testing.TB, pid int) {
	t.Helper()
	eventually(t, 10*time.Second, "it is sleep", func() bool {
		name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
		return string(name) == "sleep\n"
	})
}

// gone fails the test if one of pids is alive.
func gone(t testing.TB, pids ...int) {
	t.Helper()
	for _, pid := range pids {
		if alive(pid) {
			t.Errorf("process %d is alive", pid)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

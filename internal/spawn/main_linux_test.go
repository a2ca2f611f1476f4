//go:build amd64 || arm64

package spawn

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testinit"
	"github.com/procession-go/procession/internal/testkit"
)

// patience is how long a test waits for what must happen: the machine may be busy.
const patience = 60 * time.Second

// tick is how often it is looked whether a fact about the system outside holds.
const tick = time.Millisecond

const (
	// helperVariable names the helper that the test binary is to be.
	helperVariable = "SPAWN_TEST_HELPER"
	// aloneVariable names the test that runs in a process of its own.
	aloneVariable = "SPAWN_TEST_ALONE"
)

// helpers are what the test binary can be besides a test binary, by name. They find
// their arguments in os.Args[1:].
var helpers = map[string]func(){}

// self is the test binary. It can be executed by every user, wherever it is.
const self = "/proc/self/exe"

func init() {
	if _, ok := os.LookupEnv(helperVariable); ok {
		runtime.LockOSThread() // a helper stays on the thread that was executed: see prctl(2)
	}
}

func TestMain(m *testing.M) {
	testinit.Boot()
	if name, ok := os.LookupEnv(helperVariable); ok {
		help, known := helpers[name]
		if !known {
			fmt.Fprintf(os.Stderr, "no helper %q\n", name)
			os.Exit(125)
		}
		help()
		syscall.Exit(0) // at once: the race detector would wait a second
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); code == 0 && err != unix.ECHILD {
			fmt.Fprintln(os.Stderr, "a child has not been reaped")
			code = 1
		}
		os.Exit(code)
	}))
}

// alone is how a test runs in a process of its own, because it changes what it cannot
// change back.
type alone struct {
	prepare func(*exec.Cmd) // what else the process is to have
	shell   string          // what sh(1) does before it executes the test, as "ulimit -Sn 512"
	most    time.Duration   // how long it may take, if not 2*patience: one that stands still cannot tell
}

// run runs the test that calls it once more, in a process of its own. There it returns
// true, and the test goes on. Here it returns false when that process has come to its
// end, and the test has failed or was skipped as it was there.
func (a alone) run(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneVariable) == t.Name() {
		return true
	}
	parts := strings.Split(t.Name(), "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	if a.most == 0 {
		a.most = 2 * patience
	}
	args := []string{"-test.run=" + strings.Join(parts, "/"), "-test.v", "-test.count=1", "-test.timeout=" + a.most.String()}
	late, cancel := context.WithTimeout(context.Background(), a.most+5*time.Second)
	defer cancel()
	cmd := exec.CommandContext(late, self, args...)
	if a.shell != "" {
		cmd = exec.CommandContext(late, testkit.Program(t, "sh"), append([]string{"-c", a.shell + ` && exec "$0" "$@"`, absolute(t)}, args...)...)
	}
	cmd.WaitDelay = 5 * time.Second
	cmd.Env = append(os.Environ(), aloneVariable+"="+t.Name(), "GORACE=atexit_sleep_ms=0 "+os.Getenv("GORACE"))
	if a.prepare != nil {
		a.prepare(cmd)
	}
	out, err := cmd.CombinedOutput()
	text := string(out)
	if strings.Contains(text, "--- SKIP: "+t.Name()) {
		t.Skip(strings.TrimSpace(text))
	}
	require.NoError(t, err, "in a process of its own:\n%s", text)
	require.Contains(t, text, "--- PASS: "+t.Name(), "the test did not run in a process of its own")
	t.Log(strings.TrimSpace(text))
	return false
}

// absolute is the test binary for what does not execute itself.
func absolute(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	require.NoError(t, err)
	if unix.Access(path, unix.X_OK) != nil {
		t.Skipf("%s cannot be executed by user %d", path, os.Getuid())
	}
	return path
}

// root skips the test if this process cannot do everything.
func root(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("needs root, not user %d", os.Geteuid())
	}
}

const nobody = 65534

// asNobody gives a process that root starts to nobody.
func asNobody(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
}

// worldDir is a temporary directory that every user can reach.
func worldDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "spawn")
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	return dir
}

// copyProgram makes a copy of a program that everybody can execute.
func copyProgram(t testing.TB, program, path string) {
	t.Helper()
	from, err := os.Open(program)
	require.NoError(t, err)
	defer from.Close()
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	require.NoError(t, err)
	_, err = io.Copy(to, from)
	require.NoError(t, err)
	require.NoError(t, to.Close())
}

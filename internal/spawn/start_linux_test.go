//go:build amd64 || arm64

package spawn

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// scripts is a Forker that starts by scripts. Where the kernel refuses that, the test
// is skipped.
func scripts(t testing.TB) *Forker {
	t.Helper()
	f := New(false)
	t.Cleanup(f.Close)
	if err := f.Refusal(); err != nil {
		t.Skipf("this kernel refuses scripts: %v", err)
	}
	return f
}

// plainly is a Forker that starts by syscall.StartProcess.
func plainly(t testing.TB) *Forker {
	t.Helper()
	f := New(true)
	t.Cleanup(f.Close)
	require.Error(t, f.Refusal())
	return f
}

// bothWays runs a test with a Forker of each kind.
func bothWays(t *testing.T, test func(*testing.T, *Forker)) {
	t.Run("script", func(t *testing.T) { test(t, scripts(t)) })
	t.Run("plain", func(t *testing.T) { test(t, plainly(t)) })
}

// null is a descriptor of /dev/null.
var null = sync.OnceValue(func() int {
	fd, err := unix.Open("/dev/null", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		panic(err)
	}
	return fd
})

// quiet are the files of a program that has nothing to tell.
func quiet() [3]int { return [3]int{null(), null(), 2} }

// command is a command whose environment is empty.
func command(path string, args ...string) *exec.Cmd {
	return &exec.Cmd{Path: path, Args: append([]string{path}, args...), Env: []string{}}
}

// helper is a command that runs a helper, and nothing is in its environment besides.
func helper(name string, args ...string) *exec.Cmd {
	cmd := command(self, args...)
	cmd.Env = []string{helperVariable + "=" + name}
	return cmd
}

// begin starts p, and waits until its birth is over.
func begin(f *Forker, p *Program) (pid int, err error) {
	b := f.Prepare(p)
	b.Start()
	if !b.Wait(10*time.Millisecond) && !b.Wait(-1) {
		return 0, errors.New("Wait(-1) has reported that the birth is not over")
	}
	return b.Result()
}

// born is begin for a program that must start.
func born(t testing.TB, f *Forker, p *Program) (pid int) {
	t.Helper()
	pid, err := begin(f, p)
	require.NoError(t, err)
	require.Positive(t, pid)
	return pid
}

// end waits until a child has ended, and reaps it.
func end(pid int) (status unix.WaitStatus, err error) {
	for begun := time.Now(); time.Since(begun) < patience; time.Sleep(200 * time.Microsecond) {
		if reaped, err := unix.Wait4(pid, &status, unix.WNOHANG, nil); err != unix.EINTR && (err != nil || reaped == pid) {
			return status, err
		}
	}
	return status, fmt.Errorf("process %d has not ended", pid)
}

func ended(t testing.TB, pid int) unix.WaitStatus {
	t.Helper()
	status, err := end(pid)
	require.NoError(t, err)
	return status
}

// killed is what a test leaves to its end: the child must be gone then.
func killed(t testing.TB, pid int) {
	t.Cleanup(func() {
		if child(pid) {
			unix.Kill(pid, unix.SIGKILL)
			end(pid)
		}
	})
}

// child reports whether there is a child of that process ID, be it a zombie.
func child(pid int) bool {
	return unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil) == nil
}

// readAll reads what is written to a pipe until all its writers have closed it.
func readAll(r *os.File) (text string, err error) {
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	all, err := io.ReadAll(r)
	return string(all), err
}

// outcome is what a program printed that ran to a good end.
func outcome(f *Forker, cmd *exec.Cmd, limits ...Limit) (text string, err error) {
	r, w, err := pipe()
	if err != nil {
		return "", err
	}
	defer r.Close()
	pid, err := begin(f, &Program{Cmd: cmd, Files: [3]int{null(), w, 2}, Limits: limits})
	unix.Close(w)
	if err != nil {
		return "", err
	}
	text, err = readAll(r)
	status, waiting := end(pid)
	if err = errors.Join(err, waiting); err == nil && status != 0 {
		err = fmt.Errorf("status %#x, output %q", status, text)
	}
	return text, err
}

func output(t testing.TB, f *Forker, cmd *exec.Cmd, limits ...Limit) string {
	t.Helper()
	text, err := outcome(f, cmd, limits...)
	require.NoError(t, err)
	return text
}

// pipe makes one whose reading end is polled and whose writing end is blocking.
func pipe() (r *os.File, w int, err error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, 0, err
	}
	if err := unix.SetNonblock(ends[0], true); err != nil {
		return nil, 0, err
	}
	return os.NewFile(uintptr(ends[0]), "pipe"), ends[1], nil
}

func newPipe(t testing.TB) (r *os.File, w int) {
	t.Helper()
	r, w, err := pipe()
	require.NoError(t, err)
	t.Cleanup(func() { r.Close() })
	return r, w
}

// osExec is what os/exec's child prints, whom a child of ours is to equal.
func osExec(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	other := exec.Command(cmd.Path, cmd.Args[1:]...)
	other.Env, other.Dir, other.SysProcAttr = cmd.Env, cmd.Dir, cmd.SysProcAttr
	text, err := other.Output()
	require.NoError(t, err)
	return string(text)
}

// noChild asserts that this process has no child, be it a zombie.
func noChild(t testing.TB) {
	t.Helper()
	_, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
	require.ErrorIs(t, err, syscall.ECHILD, "left: %v", children())
}

// children are what this process has started, and what each is.
func children() (all []string) {
	for _, tid := range tasks() {
		pids, _ := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", tid))
		for word := range strings.FieldsSeq(string(pids)) {
			pid, _ := strconv.Atoi(word)
			p, _ := testkit.Look(pid)
			all = append(all, fmt.Sprintf("%v of thread %d", p, tid))
		}
	}
	return all
}

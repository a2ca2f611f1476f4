//go:build linux

package local_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/stretchr/testify/assert"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
)

// Scripts that write without an end, and those that have written total bytes when
// they are on.
const (
	floods    = `trap 'exit 7' TERM; echo on >>said; while :; do echo 0123456789012345678901234567890123456789; done`
	floodsErr = `exec >&2; ` + floods
	total     = 1_000_000
	wrote     = `head -c 1000000 /dev/zero; trap 'exit 0' TERM; echo on >>said; sleep 100 & wait`
)

// unreadPipe is what a command line writes to, and its end, which has to be read.
type unreadPipe struct{ r, w *os.File }

func newUnreadPipe(t *testing.T) *unreadPipe {
	t.Helper()
	r, w, err := os.Pipe()
	assert.NoError(t, err)
	return &unreadPipe{r, w}
}

// full waits until nothing more fits in, and reports whether that has come about. How many
// bytes that is depends on how they came.
func (p *unreadPipe) full(t *testing.T) bool {
	t.Helper()
	const still = 200 * time.Millisecond
	since, last := time.Now(), int64(0)
	return assert.EventuallyWithT(t, func(c *assert.CollectT) {
		if n := p.unread(); n != last {
			since, last = time.Now(), n
		}
		assert.GreaterOrEqual(c, last, int64(30_000), "bytes in the pipe")
		assert.Greater(c, time.Since(since), still, "since it has changed")
		assert.False(c, p.takesMore(), "it takes more than %d bytes", last)
	}, clitest.Patience, 2*time.Millisecond)
}

// unread is how many bytes are in the pipe (ioctl_pipe(2)).
func (p *unreadPipe) unread() int64 {
	n, err := unix.IoctlGetInt(int(p.r.Fd()), unix.TIOCINQ)
	if err != nil {
		panic(err)
	}
	return int64(n)
}

// takesMore reports whether a writer would not have to wait (pipe(7), poll(2)).
func (p *unreadPipe) takesMore() bool {
	fds := []unix.PollFd{{Fd: int32(p.w.Fd()), Events: unix.POLLOUT}}
	n, err := unix.Poll(fds, 0)
	return err == nil && n > 0
}

func (p *unreadPipe) close() {
	p.r.Close()
	p.w.Close()
}

// ends waits for the end of a command line after a signal, which must come, and
// answers its exit code.
func ends(cmd *exec.Cmd) (code int, after time.Duration) {
	begin := time.Now()
	cmd.Process.Signal(syscall.SIGTERM)
	cmd.Wait()
	return cmd.ProcessState.ExitCode(), time.Since(begin)
}

// lostBytes is how many bytes are lost as stderr has it, -1 if it does not say.
func lostBytes(stderr string) int64 {
	found := regexp.MustCompile(`(?m)^procession: (\d+) bytes of the output are lost, because nobody read them$`).FindStringSubmatch(stderr)
	if found == nil {
		return -1
	}
	n, _ := strconv.ParseInt(found[1], 10, 64)
	return n
}

// grace is that of the processes here; late is when it is over for sure.
const grace, late = time.Second, 20 * time.Second

func TestOutputThatNobodyReads(t *testing.T) {
	single := []string{"run", "--grace", "1s", "--", "bash", "-c", `eval "$SCRIPT"`}
	for name, test := range map[string]struct {
		script string
		args   []string
		errs   bool // is what is unread, instead of stdout
		both   bool
		code   int
	}{
		"run":                   {floods, single, false, false, 7},
		"run, stderr":           {floodsErr, single, true, false, 7},
		"run, both":             {floods, single, false, true, 7},
		"run, both, stderr":     {floodsErr, single, true, true, 7},
		"run, code 0":           {wrote, single, false, false, console.CodeEngine},
		"side by side":          {floods, []string{"run", "--grace", "1s", `exec bash -c "$SCRIPT"`, "true"}, false, false, 7},
		"side by side, stderr":  {floodsErr, []string{"run", "--grace", "1s", `exec bash -c "$SCRIPT"`, "true"}, true, false, 7},
		"side by side, 2 flood": {floods, []string{"run", "--grace", "1s", `exec bash -c "$SCRIPT"`, `exec bash -c "$SCRIPT"`}, false, false, 7},
		"up":                    {floods, []string{"up", "--grace", "1s", "Procfile"}, false, false, console.CodeEngine},
		"up, stderr":            {floodsErr, []string{"up", "--grace", "1s", "Procfile"}, true, false, console.CodeEngine},
		"up, both":              {floods, []string{"up", "--grace", "1s", "-m", "a=3", "Procfile"}, false, true, console.CodeEngine},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for most of the time
			many(t, func(dir string) {
				cmd := scripted(t, dir, test.script, test.args...)
				var other bytes.Buffer
				pipe := newUnreadPipe(t)
				defer pipe.close()
				cmd.Stdout, cmd.Stderr = pipe.w, &other
				if test.errs {
					cmd.Stdout, cmd.Stderr = &other, pipe.w
				}
				if test.both {
					cmd.Stdout, cmd.Stderr = pipe.w, pipe.w
				}
				if !assert.NoError(t, cmd.Start()) {
					return
				}
				pipe.full(t)
				said(t, dir, "on", 1)
				code, after := ends(cmd)
				lost := lostBytes(other.String())
				inPipe := pipe.unread()
				assert.Equal(t, test.code, code, "exit code; in the pipe are %d, stderr %q", inPipe, &other)
				assert.GreaterOrEqual(t, after, grace)
				assert.LessOrEqual(t, after, late)
				if test.errs || test.both {
					assert.Negative(t, lost, "stderr %q", &other)
				} else {
					assert.GreaterOrEqual(t, lost, int64(0), "stderr %q", &other)
				}
				if test.script == wrote {
					assert.EqualValues(t, total, lost+inPipe, "bytes that are lost, or in the pipe: %d and %d", lost, inPipe)
				}
			})
		})
	}
}

// readSlowly reads some bytes at a time, with pauses in which the grace would not end,
// but all together are longer than it. Then it reads the rest.
func readSlowly(r io.Reader, bytes int) (all []byte, err error) {
	for begin := time.Now(); time.Since(begin) < 3*grace; time.Sleep(grace / 10) {
		some := make([]byte, bytes)
		n, err := r.Read(some)
		all = append(all, some[:n]...)
		if err != nil {
			return all, err
		}
	}
	rest, err := io.ReadAll(r)
	return append(all, rest...), err
}

// A reader that takes something gets everything, however slow it is.
func TestASlowReaderGetsEverything(t *testing.T) {
	for _, bytes := range []int{1, 4096} {
		for name, args := range map[string][]string{
			"run":          {"run", "--grace", grace.String(), "--", "bash", "-c", `eval "$SCRIPT"`},
			"side by side": {"run", "-q", "--grace", grace.String(), `exec bash -c "$SCRIPT"`, "exec sleep 100"},
			"up":           {"up", "--no-prefix", "--grace", grace.String(), "Procfile"},
		} {
			t.Run(fmt.Sprint(name, " ", bytes), func(t *testing.T) {
				t.Parallel() // they wait for most of the time
				many(t, func(dir string) {
					script := strings.Replace(wrote, "/dev/zero", "/dev/zero | tr '\\000-\\377' '\\n'", 1)
					slowlyRead(t, scripted(t, dir, script, args...), bytes)
				})
			})
		}
	}
}

// startInto starts a command line whose output goes into a pipe, waits until its process
// is on, and reports whether it is.
func startInto(t *testing.T, pipe *unreadPipe, cmd *exec.Cmd) bool {
	t.Helper()
	cmd.Stdout = pipe.w
	if !assert.NoError(t, cmd.Start()) {
		return false
	}
	pipe.w.Close()
	return said(t, cmd.Dir, "on", 1)
}

func slowlyRead(t *testing.T, cmd *exec.Cmd, bytes int) {
	t.Helper()
	var stderr strings.Builder
	cmd.Stderr = &stderr
	pipe := newUnreadPipe(t)
	defer pipe.close()
	if !startInto(t, pipe, cmd) {
		return
	}
	cmd.Process.Signal(syscall.SIGTERM)
	all, err := readSlowly(pipe.r, bytes)
	cmd.Wait()
	assert.NoError(t, err)
	assert.Equal(t, total, strings.Count(string(all), "\n"), "lines that came")
	assert.Negative(t, lostBytes(stderr.String()), "stderr %q", &stderr)
	assert.NotEqual(t, console.CodeEngine, cmd.ProcessState.ExitCode(), "exit code")
}

// What ends by itself waits for the reader of its output, until it is asked to end.
func TestOutputWaitsForItsReader(t *testing.T) {
	const script = `head -c 1000000 /dev/zero; echo on >>said`
	for name, asked := range map[string]bool{"it is read": false, "it is asked to end": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait for most of the time
			many(t, func(dir string) {
				cmd := scripted(t, dir, script, "run", "--grace", "100ms", "--", "bash", "-c", `eval "$SCRIPT"`)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				pipe := newUnreadPipe(t)
				defer pipe.close()
				if !startInto(t, pipe, cmd) {
					return
				}
				time.Sleep(2 * console.LastWords)
				if asked {
					code, _ := ends(cmd)
					assert.Equal(t, console.CodeEngine, code, "exit code")
					assert.EqualValues(t, total, lostBytes(stderr.String())+pipe.unread(), "stderr %q", &stderr)
					return
				}
				n, err := io.Copy(io.Discard, pipe.r)
				cmd.Wait()
				assert.NoError(t, err)
				assert.EqualValues(t, total, n, "bytes that came")
				assert.Empty(t, stderr.String())
				assert.True(t, cmd.ProcessState.Success(), "%v", cmd.ProcessState)
			})
		})
	}
}

// The log of a pool has what the screen has lost.
func TestALogHasWhatTheScreenHasLost(t *testing.T) {
	many(t, func(dir string) {
		cmd := scripted(t, dir, wrote, "up", "--log-dir", "logs", "--grace", grace.String(), "Procfile")
		pipe := newUnreadPipe(t)
		defer pipe.close()
		cmd.Stdout = pipe.w
		if !assert.NoError(t, cmd.Start()) {
			return
		}
		said(t, dir, "on", 1)
		ends(cmd)
		info, err := os.Stat(dir + "/logs/a.1.log")
		if assert.NoError(t, err) {
			assert.EqualValues(t, total, info.Size(), "bytes in the log")
		}
	})
}

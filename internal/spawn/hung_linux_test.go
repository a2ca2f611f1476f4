//go:build amd64 || arm64

package spawn

import (
	"bytes"
	"encoding/binary"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// An execve(2) that does not return, as of a program on a file server that is dead.

// gate is echo(1), but nobody can execute it before it is answered for: fanotify(7).
type gate struct {
	path string
	fd   int
}

func newGate(t testing.TB) *gate {
	t.Helper()
	root(t)
	g := &gate{path: filepath.Join(t.TempDir(), "gated")}
	copyProgram(t, testkit.Program(t, "echo"), g.path)
	var err error
	g.fd, err = unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_LARGEFILE)
	if err != nil {
		t.Skipf("fanotify(7): %v", err)
	}
	t.Cleanup(func() { unix.Close(g.fd) }) // whoever waits may go on
	if err := unix.FanotifyMark(g.fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD, g.path); err != nil {
		t.Skipf("this kernel has no FAN_OPEN_EXEC_PERM: %v", err)
	}
	return g
}

// knocks are those that want to execute it, n of them: by process ID, what to answer.
func (g *gate) knocks(t testing.TB, n int) (all map[int]int32) {
	t.Helper()
	all = map[int]int32{}
	for begun := time.Now(); len(all) < n; time.Sleep(time.Millisecond) {
		require.Less(t, time.Since(begun), patience, "only %d of %d have come", len(all), n)
		buf := make([]byte, 4096)
		got, err := unix.Read(g.fd, buf)
		if err == unix.EAGAIN {
			continue
		}
		require.NoError(t, err)
		for reader := bytes.NewReader(buf[:got]); reader.Len() > 0; {
			var event unix.FanotifyEventMetadata
			require.NoError(t, binary.Read(reader, binary.NativeEndian, &event))
			all[int(event.Pid)] = event.Fd
		}
	}
	return all
}

// open answers one.
func (g *gate) open(t testing.TB, answer int32) {
	t.Helper()
	var buf bytes.Buffer
	require.NoError(t, binary.Write(&buf, binary.NativeEndian, unix.FanotifyResponse{Fd: answer, Response: unix.FAN_ALLOW}))
	_, err := unix.Write(g.fd, buf.Bytes())
	require.NoError(t, err)
	unix.Close(int(answer))
}

func (g *gate) program(args ...string) *Program {
	cmd := command(g.path, args...)
	cmd.Args[0] = "echo"
	return &Program{Cmd: cmd, Files: quiet()}
}

// begun are births that have begun and hang.
func (g *gate) begun(t testing.TB, f *Forker, n int) (all []*Birth) {
	t.Helper()
	for range n {
		b := f.Prepare(g.program())
		begun := time.Now()
		b.Start()
		assert.Less(t, time.Since(begun), time.Second)
		assert.False(t, b.Wait(2*time.Millisecond))
		require.Eventually(t, func() bool { return b.PID() != 0 }, patience, tick)
		killed(t, b.PID())
		all = append(all, b)
	}
	return all
}

// processors limits how many run Go code at once.
func processors(t testing.TB, n int) {
	before := runtime.GOMAXPROCS(n)
	t.Cleanup(func() { runtime.GOMAXPROCS(before) })
}

func TestAnExecveThatHangsHoldsItsOwnStartOnly(t *testing.T) {
	f, g := scripts(t), newGate(t)
	processors(t, 2)
	all := g.begun(t, f, 4)
	knocks := g.knocks(t, 4)
	waiting := make(chan *Birth, 4)
	for _, b := range all {
		require.Contains(t, knocks, b.PID())
		go func() {
			if b.Wait(-1) {
				waiting <- b
			}
		}()
	}

	// The others are not held.
	cmd := command(testkit.Program(t, "echo"), "it runs")
	var times []time.Duration
	for range 20 {
		begun := time.Now()
		require.Equal(t, "it runs\n", output(t, f, cmd))
		times = append(times, time.Since(begun))
	}
	slices.Sort(times)
	assert.Less(t, times[10], 100*time.Millisecond, "%v", times)
	begun := time.Now()
	out, err := exec.Command(testkit.Program(t, "echo"), "it runs").Output()
	require.NoError(t, err)
	assert.Equal(t, "it runs\n", string(out))
	<-time.After(time.Millisecond)
	done := make(chan int)
	for i := range 100 {
		go func() { done <- i }()
		<-done
	}
	runtime.GC()
	assert.Less(t, time.Since(begun), 5*time.Second)

	// Nor is who waits told before.
	for _, b := range all {
		assert.False(t, b.Wait(0))
	}
	assert.Empty(t, waiting)

	// SIGKILL ends them.
	for _, b := range all {
		require.NoError(t, unix.Kill(b.PID(), unix.SIGKILL))
		require.Same(t, b, <-waiting)
		pid, err := b.Result()
		require.NoError(t, err)
		status := ended(t, pid)
		assert.Equal(t, unix.SIGKILL, status.Signal(), "%#x", status)
	}
	for _, answer := range knocks {
		unix.Close(int(answer))
	}
}

func TestAnExecveThatHungRunsWhenItMay(t *testing.T) {
	f, g := scripts(t), newGate(t)
	r, w := newPipe(t)
	what := g.program("a", "few", "arguments")
	what.Files[1] = w
	b := f.Prepare(what)
	b.Start()
	assert.False(t, b.Wait(5*time.Millisecond))
	require.Eventually(t, func() bool { return b.PID() != 0 }, patience, tick)
	unix.Close(w) // the child has it
	for range 3 { // what it needs must stay where it is
		runtime.GC()
		waste()
	}
	for _, answer := range g.knocks(t, 1) {
		g.open(t, answer)
	}
	require.True(t, b.Wait(-1))
	pid, err := b.Result()
	require.NoError(t, err)
	text, err := readAll(r)
	require.NoError(t, err)
	assert.Zero(t, ended(t, pid))
	assert.Equal(t, "a few arguments\n", text)
}

// waste fills what memory is free with something else.
func waste() {
	for size := 8; size <= 1024; size += 8 {
		var all [][]byte
		for range 500 {
			all = append(all, bytes.Repeat([]byte{0xee}, size))
		}
		runtime.KeepAlive(all)
	}
}

// TestAnExecveThatHangsOutlivesItsBirthsOwner drops the birth of one that hangs, and
// starts as many others as there is room for. What the child needs must not be freed.
func TestAnExecveThatHangsOutlivesItsBirthsOwner(t *testing.T) {
	f, g := scripts(t), newGate(t)
	r, w := newPipe(t)
	text := strings.Repeat("kept", 25)
	pid := func() int {
		what := g.program(text, strings.Repeat("x", 50))
		what.Files[1] = w
		b := f.Prepare(what)
		b.Start()
		require.False(t, b.Wait(time.Millisecond))
		require.Eventually(t, func() bool { return b.PID() != 0 }, patience, tick)
		return b.PID()
	}()
	killed(t, pid)
	unix.Close(w)
	cmd := command(testkit.Program(t, "true"))
	for range 2 * ringSize {
		ended(t, born(t, f, &Program{Cmd: cmd, Files: quiet()}))
	}
	for range 3 {
		runtime.GC()
		waste()
	}
	for _, answer := range g.knocks(t, 1) {
		g.open(t, answer)
	}
	got, err := readAll(r)
	require.NoError(t, err)
	assert.Zero(t, ended(t, pid))
	assert.Equal(t, text+" "+strings.Repeat("x", 50)+"\n", got, "what its execve(2) points to was freed")
}

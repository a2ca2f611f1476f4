//go:build linux

package faults

import (
	"bufio"
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

var ready = regexp.MustCompile("^ready$")

func init() { helpers["engine"] = engineHelper }

// generations is a tree of six processes, some of which left the group.
const generations = `sleep 1000 & setsid sleep 1000 & (setsid sh -c 'sleep 1000 & sleep 1000' &) ; sh -c 'sleep 1000; :' ; :`

// engineHelper runs an engine of the name args[0] with args[1] processes of
// several generations, says so, and then does what args[2] says.
func engineHelper(args []string) {
	eng, err := procession.New(procession.WithID(args[0]), procession.WithGuardian())
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	n, _ := strconv.Atoi(args[1])
	spec := procession.Shell(generations)
	spec.LeaveDescendants = args[2] == "leave"
	for range n {
		if _, err := eng.Start(context.Background(), spec); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	fmt.Println("ready")
	if args[2] == "panic" {
		bufio.NewReader(os.Stdin).ReadByte()
		go func() { panic("on purpose") }()
	}
	<-signals
	if _, err := eng.Shutdown(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// engine is an engine in another process.
type engine struct {
	*exec.Cmd
	name string
	in   *os.File
}

func startEngine(t *testing.T, n int, then string) *engine {
	t.Helper()
	testkit.NeedsFor(t, generations)
	e := &engine{name: uuid.NewString()}
	e.Cmd = helper("engine", e.name, strconv.Itoa(n), then)
	if then == "panic" {
		e.Stderr = nil
	}
	r, w, err := os.Pipe()
	require.NoError(t, err)
	e.Stdin, e.in = r, w
	out, err := e.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, e.Start())
	r.Close()
	t.Cleanup(func() {
		w.Close()
		e.Process.Kill()
		e.Wait()
		for _, p := range testkit.Marked(e.name) {
			syscall.Kill(p.PID, syscall.SIGKILL)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	testkit.Eventually(t, func(c *assert.CollectT) {
		assert.GreaterOrEqual(c, len(testkit.Marked(e.name)), 6*n)
	}, "all generations")
	return e
}

// guardians are the guardians of the engine: they carry no mark.
func (e *engine) guardians() (pids []int) {
	for _, p := range testkit.Processes() {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		if string(cmdline) == "procession-guardian\x00"+e.name+"\x00" && testkit.Alive(p.PID) {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

// nothingLeft waits for the end of everything of the engine, its guardian too.
func (e *engine) nothingLeft(t *testing.T, within time.Duration) {
	t.Helper()
	begin := time.Now()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Empty(c, testkit.Marked(e.name))
		assert.Empty(c, e.guardians())
	}, within, tick, "nothing of the engine is left")
	t.Logf("nothing left after %v", time.Since(begin))
}

func TestEngineKilled(t *testing.T) {
	e := startEngine(t, 3, "wait")
	require.Len(t, e.guardians(), 1)
	e.Process.Kill()
	e.nothingLeft(t, 3*time.Second)
}

// LeaveDescendants lets them outlive their leader, not the engine.
func TestEngineKilledEndsWhatWasToBeLeft(t *testing.T) {
	e := startEngine(t, 2, "leave")
	e.Process.Kill()
	e.nothingLeft(t, 3*time.Second)
}

func init() { helpers["bare engine"] = bareEngine }

// bareEngine runs an engine of the name args[0] that has no guardian, with
// processes that have no descendants.
func bareEngine(args []string) {
	eng, err := procession.New(procession.WithID(args[0]))
	for range 3 {
		if err == nil {
			_, err = eng.Start(context.Background(), procession.Spec{Command: "sleep", Args: []string{"1000"}})
		}
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println("ready")
	stay()
}

func TestWithoutAGuardianChildrenEndWithTheEngine(t *testing.T) {
	name := uuid.NewString()
	cmd := helper("bare engine", name)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		for _, p := range testkit.Marked(name) {
			syscall.Kill(p.PID, syscall.SIGKILL)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "ready\n", line)
	require.Len(t, testkit.Marked(name), 3)
	cmd.Process.Kill()
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Empty(c, testkit.Marked(name))
	}, 3*time.Second, tick, "nothing of the engine is left")
}

func TestEngineKilledWithAHundredProcesses(t *testing.T) {
	onlySlow(t)
	e := startEngine(t, 100, "wait")
	e.Process.Kill()
	e.nothingLeft(t, 3*time.Second)
}

func TestEnginePanics(t *testing.T) {
	e := startEngine(t, 3, "panic")
	e.in.Close()
	e.nothingLeft(t, 3*time.Second)
}

func TestEngineIsToldToEnd(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			e := startEngine(t, 3, "wait")
			e.Process.Signal(sig)
			e.nothingLeft(t, 10*time.Second)
			assert.NoError(t, e.Wait())
		})
	}
}

func TestGuardianKilledIsReplaced(t *testing.T) {
	onlySlow(t)
	e := startEngine(t, 1, "wait")
	first := e.guardians()[0]
	begun := startTime(t, first)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Greater(c, time.Since(begun), 1500*time.Millisecond)
	}, 10*time.Second, tick, "a guardian that has lived")
	syscall.Kill(first, syscall.SIGKILL)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		guardians := e.guardians()
		assert.Len(c, guardians, 1)
		assert.NotContains(c, guardians, first)
	}, 10*time.Second, tick, "another guardian")
	e.Process.Kill()
	e.nothingLeft(t, 3*time.Second)
}

func startTime(t *testing.T, pid int) time.Time {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	require.NoError(t, err)
	return info.ModTime()
}

func TestTwoEnginesDoNotTouchEachOther(t *testing.T) {
	one, two := enginetest.New(t), enginetest.New(t)
	first := enginetest.Start(t, one, procession.Shell(`setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000 & echo $!; wait`))
	second := enginetest.Start(t, two, procession.Shell(`setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000 & echo $!; wait`))
	gones, lives := pids(t, one, first, 2), pids(t, two, second, 2)
	enginetest.Kill(t, one, first)
	_, err := one.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	haveEnded(t, gones...)
	for _, pid := range lives {
		assert.True(t, testkit.Alive(pid), "process %d of the other engine was ended", pid)
	}
	enginetest.Kill(t, two, second)
	haveEnded(t, lives...)
}

func TestStrangersAreNotTouched(t *testing.T) {
	name := uuid.NewString()
	eng := enginetest.New(t, procession.WithID(name))
	id := enginetest.Start(t, eng, procession.Shell(`sleep 1000 & setsid sleep 1000 & echo $$; wait`))
	pids(t, eng, id, 1)
	var strangers []*exec.Cmd
	for _, env := range [][]string{
		nil,
		{"PROCESSION_ENGINE=another", "PROCESSION_ID=" + id},
		{"PROCESSION_ID=" + id},
		{"X_PROCESSION_ENGINE=" + name, "PROCESSION_ENGINE=" + name + "2"},
	} {
		cmd := exec.Command("sleep", "1000")
		cmd.Env = append(os.Environ(), env...)
		require.NoError(t, cmd.Start())
		strangers = append(strangers, cmd)
		defer cmd.Wait()
		defer cmd.Process.Kill()
	}
	enginetest.Kill(t, eng, id)
	_, err := eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	for _, cmd := range strangers {
		assert.True(t, testkit.Alive(cmd.Process.Pid), "a stranger was ended: %v", cmd.Env[len(cmd.Env)-1])
	}
}

func TestShortProcessesLeaveNothingBehind(t *testing.T) {
	n := 200
	if *slow {
		n = 2000
	}
	eng := enginetest.New(t, procession.WithRetention(16, 0))
	run := func(n int) {
		var callers sync.WaitGroup
		ctx := testkit.Within(t)
		for range 8 {
			callers.Go(func() {
				for range n / 8 {
					id, err := eng.Start(ctx, procession.Spec{Command: "/bin/true"})
					if !assert.NoError(t, err) || !assert.NoError(t, eng.Release(ctx, id)) {
						return
					}
				}
			})
		}
		callers.Wait()
	}
	run(16)
	before, orphans := descriptors(t), zombies() // other tests have left those
	run(n)
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.LessOrEqual(c, descriptors(t), before)
	}, 10*time.Second, tick, "no descriptor more than before")
	children := zombies()
	assert.LessOrEqual(t, len(children), len(orphans), "zombies: %v", children)
}

// descriptors is how many this program has open. It may be called on any goroutine.
func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	assert.NoError(t, err)
	return len(entries)
}

// zombies are the children of this process that have not been reaped.
func zombies() (pids []int) {
	for _, p := range testkit.Processes() {
		if p.State == 'Z' && p.Parent == os.Getpid() {
			pids = append(pids, p.PID)
		}
	}
	return pids
}

func init() { helpers["short of descriptors"] = shortHelper }

// shortHelper runs out of descriptors, with a limit of its own.
func shortHelper([]string) {
	var t program
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	eng, err := procession.New()
	require.NoError(t, err)
	survivor, err := eng.Start(ctx, procession.Shell(`setsid sh -c 'echo $$; exec sleep 1000' & wait`))
	require.NoError(t, err)
	_, err = eng.WaitFor(ctx, survivor, regexp.MustCompile(`\d`))
	require.NoError(t, err)
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	require.NoError(t, syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit))
	var taken []*os.File
	for {
		f, err := os.Open("/dev/null")
		if err != nil {
			break
		}
		taken = append(taken, f)
	}
	_, err = eng.Start(ctx, procession.Spec{Command: "/bin/true"})
	require.ErrorIs(t, err, procession.ErrStart)
	require.ErrorIs(t, err, syscall.EMFILE)
	list, err := eng.List(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
	done := make(chan error)
	go func() {
		_, err := eng.Kill(ctx, survivor) // has to look around, and cannot at first
		done <- err
	}()
	for _, f := range taken {
		f.Close()
	}
	require.NoError(t, <-done, "Kill")
	out, err := eng.Output(ctx, survivor)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(out.Stdout()))
	require.NoError(t, err)
	require.False(t, testkit.Alive(pid), "the descendant lives")
	id, err := eng.Start(ctx, procession.Spec{Command: "/bin/true"})
	require.NoError(t, err, "again")
	exit, err := eng.Wait(ctx, id)
	require.NoError(t, err)
	require.True(t, exit.Success(), "%v", exit)
	_, err = eng.Shutdown(ctx)
	require.NoError(t, err)
	fmt.Println("ok")
}

func TestOutOfDescriptors(t *testing.T) {
	testkit.Needs(t, "setsid")
	out, err := helper("short of descriptors").Output()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "ok\n", string(out))
}

func TestShutdownWhileStartsAreUnderWay(t *testing.T) {
	name := uuid.NewString()
	eng := enginetest.New(t, procession.WithID(name), procession.WithGrace(10*time.Second))
	var callers sync.WaitGroup
	begun := make(chan struct{}, 64)
	for range 64 {
		callers.Go(func() {
			for {
				begun <- struct{}{}
				_, err := eng.Start(testkit.Within(t), procession.Shell("setsid sleep 1000 & sleep 1000"))
				if err != nil {
					assert.ErrorIs(t, err, procession.ErrClosed)
					return
				}
			}
		})
	}
	for range 100 {
		<-begun
	}
	go func() {
		for range begun {
		}
	}()
	_, err := eng.Shutdown(testkit.Within(t))
	require.NoError(t, err)
	callers.Wait()
	close(begun)
	assert.Empty(t, testkit.Marked(name))
}

func TestFailedStartsLeaveNothing(t *testing.T) {
	eng := enginetest.New(t, procession.WithMaxProcesses(1))
	before := descriptors(t)
	for range 50 {
		_, err := eng.Start(testkit.Within(t), procession.Spec{Command: "/nope"})
		require.ErrorIs(t, err, fs.ErrNotExist)
	}
	assert.LessOrEqual(t, descriptors(t), before)
}

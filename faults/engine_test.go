//go:build linux

package faults

import (
	"bufio"
	"context"
	"errors"
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
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
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
	e := &engine{name: uuid.NewString()}
	e.Cmd = helper("engine", e.name, strconv.Itoa(n), then)
	if then == "panic" {
		e.Stderr = nil
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	e.Stdin, e.in = r, w
	out, err := e.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Start(); err != nil {
		t.Fatal(err)
	}
	r.Close()
	t.Cleanup(func() {
		w.Close()
		e.Process.Kill()
		e.Wait()
		for _, pid := range marked(e.name) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	eventually(t, 30*time.Second, "all generations", func() bool { return len(marked(e.name)) >= 6*n })
	return e
}

// guardians are the guardians of the engine: they carry no mark.
func (e *engine) guardians() (pids []int) {
	for _, pid := range all() {
		cmdline, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if string(cmdline) == "procession-guardian\x00"+e.name+"\x00" && alive(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func all() (pids []int) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

// nothingLeft waits for the end of everything of the engine, its guardian too.
func (e *engine) nothingLeft(t *testing.T, within time.Duration) {
	t.Helper()
	begin := time.Now()
	eventually(t, within, "nothing of the engine is left", func() bool {
		return len(marked(e.name)) == 0 && len(e.guardians()) == 0
	})
	t.Logf("nothing left after %v", time.Since(begin))
}

func TestEngineKilled(t *testing.T) {
	e := startEngine(t, 3, "wait")
	if len(e.guardians()) != 1 {
		t.Fatalf("guardians: %v", e.guardians())
	}
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
	select {}
}

func TestWithoutAGuardianChildrenEndWithTheEngine(t *testing.T) {
	name := uuid.NewString()
	cmd := helper("bare engine", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		for _, pid := range marked(name) {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if n := len(marked(name)); n != 3 {
		t.Fatalf("%d children", n)
	}
	cmd.Process.Kill()
	eventually(t, 3*time.Second, "nothing of the engine is left", func() bool { return len(marked(name)) == 0 })
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
			if err := e.Wait(); err != nil {
				t.Errorf("it ended with %v", err)
			}
		})
	}
}

func TestGuardianKilledIsReplaced(t *testing.T) {
	onlySlow(t)
	e := startEngine(t, 1, "wait")
	first := e.guardians()[0]
	age := func() time.Duration { return time.Since(startTime(t, first)) }
	eventually(t, 10*time.Second, "a guardian that has lived", func() bool { return age() > 1500*time.Millisecond })
	syscall.Kill(first, syscall.SIGKILL)
	eventually(t, 10*time.Second, "another guardian", func() bool {
		g := e.guardians()
		return len(g) == 1 && g[0] != first
	})
	e.Process.Kill()
	e.nothingLeft(t, 3*time.Second)
}

func startTime(t *testing.T, pid int) time.Time {
	info, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	if err != nil {
		t.Fatal(err)
	}
	return info.ModTime()
}

func TestTwoEnginesDoNotTouchEachOther(t *testing.T) {
	one, two := newEngine(t), newEngine(t)
	first := start(t, one, procession.Shell(`setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000 & echo $!; wait`))
	second := start(t, two, procession.Shell(`setsid sh -c 'echo $$; exec sleep 1000' & sleep 1000 & echo $!; wait`))
	gones, lives := pids(t, one, first, 2), pids(t, two, second, 2)
	if _, err := one.Kill(soon(t), first); err != nil {
		t.Fatal(err)
	}
	if _, err := one.Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	gone(t, gones...)
	for _, pid := range lives {
		if !alive(pid) {
			t.Errorf("process %d of the other engine was ended", pid)
		}
	}
	if _, err := two.Kill(soon(t), second); err != nil {
		t.Fatal(err)
	}
	gone(t, lives...)
}

func TestStrangersAreNotTouched(t *testing.T) {
	name := uuid.NewString()
	eng := newEngine(t, procession.WithID(name))
	id := start(t, eng, procession.Shell(`sleep 1000 & setsid sleep 1000 & echo $$; wait`))
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
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		strangers = append(strangers, cmd)
		defer cmd.Wait()
		defer cmd.Process.Kill()
	}
	if _, err := eng.Kill(soon(t), id); err != nil {
		t.Fatal(err)
	}
	if _, err := eng.Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range strangers {
		if !alive(cmd.Process.Pid) {
			t.Errorf("a stranger was ended: %v", cmd.Env[len(cmd.Env)-1])
		}
	}
}

func TestShortProcessesLeaveNothingBehind(t *testing.T) {
	n := 200
	if *slow {
		n = 2000
	}
	eng := newEngine(t, procession.WithRetention(16, 0))
	run := func(n int) {
		var callers sync.WaitGroup
		ctx := soon(t)
		for range 8 {
			callers.Go(func() {
				for range n / 8 {
					id, err := eng.Start(ctx, procession.Spec{Command: "/bin/true"})
					if err != nil {
						t.Error(err)
						return
					}
					if err := eng.Release(ctx, id); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		callers.Wait()
	}
	run(16)
	before, orphans := descriptors(t), zombies(t)
	run(n)
	eventually(t, 10*time.Second, "no descriptor more than before", func() bool { return descriptors(t) <= before })
	if children := zombies(t); len(children) > len(orphans) { // those of other tests
		t.Errorf("zombies: %v", children)
	}
}

func descriptors(t *testing.T) int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// zombies are the children of this process that have not been reaped.
func zombies(t *testing.T) (pids []int) {
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
	check := func(ok bool, what string, v ...any) {
		if !ok {
			fmt.Println(append([]any{what}, v...)...)
			os.Exit(1)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	eng, err := procession.New()
	check(err == nil, "new", err)
	survivor, err := eng.Start(ctx, procession.Shell(`setsid sh -c 'echo $$; exec sleep 1000' & wait`))
	check(err == nil, "start", err)
	_, err = eng.WaitFor(ctx, survivor, regexp.MustCompile(`\d`))
	check(err == nil, "wait for", err)
	limit := syscall.Rlimit{Cur: 64, Max: 64}
	check(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit) == nil, "setrlimit")
	var taken []*os.File
	for {
		f, err := os.Open("/dev/null")
		if err != nil {
			break
		}
		taken = append(taken, f)
	}
	_, err = eng.Start(ctx, procession.Spec{Command: "/bin/true"})
	check(errors.Is(err, procession.ErrStart) && errors.Is(err, syscall.EMFILE), "out of descriptors:", err)
	list, err := eng.List(ctx)
	check(err == nil && len(list) == 1, "list", list, err)
	done := make(chan error)
	go func() {
		_, err := eng.Kill(ctx, survivor) // has to look around, and cannot at first
		done <- err
	}()
	for _, f := range taken {
		f.Close()
	}
	check(<-done == nil, "kill")
	out, err := eng.Output(ctx, survivor)
	check(err == nil, "output", err)
	pid, _ := strconv.Atoi(strings.TrimSpace(out.Stdout()))
	check(!alive(pid), "the descendant lives")
	id, err := eng.Start(ctx, procession.Spec{Command: "/bin/true"})
	check(err == nil, "start again", err)
	exit, err := eng.Wait(ctx, id)
	check(err == nil && exit.Success(), "wait", exit, err)
	_, err = eng.Shutdown(ctx)
	check(err == nil, "shutdown", err)
	fmt.Println("ok")
}

func TestOutOfDescriptors(t *testing.T) {
	out, err := helper("short of descriptors").Output()
	if err != nil || string(out) != "ok\n" {
		t.Fatalf("%s%v", out, err)
	}
}

func TestShutdownWhileStartsAreUnderWay(t *testing.T) {
	name := uuid.NewString()
	eng := newEngine(t, procession.WithID(name), procession.WithGrace(10*time.Second))
	var callers sync.WaitGroup
	begun := make(chan struct{}, 64)
	for range 64 {
		callers.Go(func() {
			for {
				begun <- struct{}{}
				_, err := eng.Start(soon(t), procession.Shell("setsid sleep 1000 & sleep 1000"))
				if errors.Is(err, procession.ErrClosed) {
					return
				}
				if err != nil {
					t.Error(err)
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
	if _, err := eng.Shutdown(soon(t)); err != nil {
		t.Fatal(err)
	}
	callers.Wait()
	close(begun)
	if left := marked(name); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestFailedStartsLeaveNothing(t *testing.T) {
	eng := newEngine(t, procession.WithMaxProcesses(1))
	before := descriptors(t)
	for range 50 {
		if _, err := eng.Start(soon(t), procession.Spec{Command: "/nope"}); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
}

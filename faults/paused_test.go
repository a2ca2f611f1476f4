//go:build linux

package faults

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// A program that embeds the engine is stopped, as by Ctrl-Z, and what it runs goes on. What
// happens meanwhile has happened, although a timer is over, too, when the program goes on.

// term is what the timer of a pause is set to. It is over in the middle of it.
const term = time.Second

// pause is one: what an engine runs, what is timed, what happens while it is stopped, and
// what it tells in the end.
type pause struct {
	// script says "on", goes on when it finds the file go, and makes the file did, or ends.
	script string
	with   func(s *procession.Spec, dir string)
	// asks begins what is timed, once the script is on, and answers where its result comes
	// from; nil if that began with the start, and the exit is the result.
	asks  func(eng *procession.Engine, id, dir string) <-chan string
	left  int                     // processes, if it does not make the file did
	while func(*testing.T, *port) // what else happens; nil for nothing
	want  string
}

// onGo goes on when it is told. On SIGTERM it makes a file.
const onGo = "trap ': >told.$$' TERM; echo on; until [ -e go ]; do sleep .05; done; "

const did = ": >did; sleep 1000"

var pauses = map[string]pause{
	"a timeout, and it ends": {
		script: onGo + "echo done", with: timeout, want: "exited, exit status 0, 0 restarts: on done",
	},
	"a timeout, and it fails": {
		script: onGo + "exit 3", with: timeout, want: "exited, exit status 3, 1 restarts: on on",
	},
	"a timeout, and it ends after a flood": {
		script: onGo + "seq 10000 >big; cat big; echo done", with: timeout, want: "exited, exit status 0, 0 restarts: on … done",
	},
	"readiness by a line": {
		script: onGo + "echo ready; " + did, with: probe(procession.Probe{Pattern: "^ready$"}), asks: asksReady, want: "ready",
	},
	"readiness by a line behind others": {
		script: onGo + "seq 10000 >&2; echo ready >&2; " + did, with: probe(procession.Probe{Pattern: "^ready$"}), asks: asksReady, want: "ready",
	},
	"readiness by a command": {
		script: onGo + ": >ready; " + did, with: probe(procession.Probe{Exec: []string{"test", "-e", "ready"}}), asks: asksReady, want: "ready",
	},
	"readiness by a port": {
		script: onGo + did, asks: asksReady, want: "ready",
		with: func(s *procession.Spec, dir string) {
			probe(procession.Probe{TCP: pauseFiles(dir).read("address")})(s, dir)
		},
		while: func(t *testing.T, p *port) { require.NoError(t, unix.Listen(p.fd, 1)) },
	},
	"a stop, and it ends": {
		script: onGo + "exit 0", asks: asksShutdown, want: "1 terminated, 0 killed",
	},
	"a stop, and its child ends, too": {
		script: `sh -c "$GO" & ` + onGo + "exit 0", asks: asksShutdown, want: "1 terminated, 0 killed",
	},
	"a stop, and what has left its group ends, too": {
		script: `setsid sh -c "$GO" & ` + onGo + "exit 0",
		asks:   asksShutdown, want: "1 terminated, 0 killed",
	},
	"a stop, and its child does not end": {
		script: `sh -c "$GO while :; do sleep 1000; done" & ` + onGo + "exit 0", asks: asksShutdown, left: 2, want: "0 terminated, 1 killed",
	},
	"a stop, and it does not end": {
		script: onGo + did, asks: asksShutdown, want: "0 terminated, 1 killed",
	},
	"a read, and there is something": {
		script: onGo + "echo something; " + did, want: "something\n",
		asks: func(eng *procession.Engine, id, _ string) <-chan string {
			return told(func() string {
				chunk, err := eng.Read(context.Background(), id, procession.ReadOptions{Cursor: 3, Wait: term})
				check(err)
				return procession.Output{Segments: chunk.Segments}.Stdout()
			})
		},
	},
}

func timeout(s *procession.Spec, _ string) {
	s.Timeout, s.Restart = term, procession.Policy{When: procession.OnFailure, MaxRestarts: 1, MinBackoff: 1}
}

func probe(p procession.Probe) func(*procession.Spec, string) {
	return func(s *procession.Spec, _ string) {
		p.Timeout, p.Interval = term, 10*time.Millisecond
		s.Ready = &p
	}
}

// told is what f answers.
func told(f func() string) <-chan string {
	answer := make(chan string, 1)
	go func() { answer <- f() }()
	return answer
}

func asksReady(eng *procession.Engine, id, _ string) <-chan string {
	return told(func() string {
		if err := eng.WaitReady(context.Background(), id); err != nil {
			return err.Error()
		}
		return "ready"
	})
}

// asksShutdown begins a shutdown, and answers when all have heard the signal.
func asksShutdown(eng *procession.Engine, id, dir string) <-chan string {
	info, err := eng.Info(context.Background(), id)
	check(err)
	report := told(func() string {
		report, err := eng.Shutdown(context.Background())
		check(err)
		return fmt.Sprintf("%d terminated, %d killed", report.Terminated, report.Killed)
	})
	for len(pauseFiles(dir).all("told.*")) < strings.Count(fmt.Sprint(info.Args), "$GO")+strings.Count(fmt.Sprint(info.Args), "on;") {
		time.Sleep(time.Millisecond)
	}
	return report
}

func theExit(eng *procession.Engine, id, _ string) <-chan string {
	return told(func() string {
		exit, err := eng.Wait(context.Background(), id)
		check(err)
		out, err := eng.Output(context.Background(), id)
		check(err)
		info, err := eng.Info(context.Background(), id)
		check(err)
		words := strings.Fields(out.Stdout())
		if len(words) > 4 {
			words = []string{words[0], "…", words[len(words)-1]}
		}
		return fmt.Sprintf("%v, %v, %d restarts: %s", exit.Cause, exit, info.Restarts, strings.Join(words, " "))
	})
}

func init() { helpers["paused"] = helpPaused }

// helpPaused is the program that is stopped. Its arguments are the name of a pause and a
// directory. It prints the leader's process ID, and when that was started, when all has
// begun, and then what is told in the end.
func helpPaused(args []string) {
	pause, dir := pauses[args[0]], args[1]
	eng, err := procession.New(procession.WithGrace(term))
	check(err)
	spec := procession.Shell(pause.script)
	spec.Dir, spec.Env = dir, map[string]string{"GO": onGo}
	if pause.with != nil {
		pause.with(&spec, dir)
	}
	id, err := eng.Start(context.Background(), spec)
	check(err)
	ons := strings.Count(pause.script, "echo on") + strings.Count(pause.script, "$GO")
	for cursor, seen := int64(0), ""; strings.Count(seen, "on\n") < ons; {
		chunk, err := eng.Read(context.Background(), id, procession.ReadOptions{Cursor: cursor, Wait: -1})
		check(err)
		if chunk.EOF {
			panic("the script ends: " + seen)
		}
		cursor, seen = chunk.Next, seen+procession.Output{Segments: chunk.Segments}.Stdout()
	}
	info, err := eng.Info(context.Background(), id)
	check(err)
	asks := pause.asks
	if asks == nil {
		asks = theExit
	}
	result := asks(eng, id, dir)
	fmt.Println(info.PID, info.StartedAt.UnixMilli())
	fmt.Println(strings.TrimSpace(<-result))
	_, err = eng.Shutdown(context.Background())
	if err != nil && err.Error() != procession.ErrClosed.Error() {
		check(err)
	}
}

// pauseFiles is the directory in which a script runs.
type pauseFiles string

func (d pauseFiles) read(name string) string {
	text, _ := os.ReadFile(filepath.Join(string(d), name))
	return string(text)
}

func (d pauseFiles) all(pattern string) []string {
	names, _ := filepath.Glob(filepath.Join(string(d), pattern))
	return names
}

func (d pauseFiles) write(t *testing.T, name, text string) {
	require.NoError(t, os.WriteFile(filepath.Join(string(d), name), []byte(text), 0o644))
}

// port is one that is taken, and on which nobody listens yet.
type port struct {
	fd      int
	address string
}

func bound(t *testing.T) *port {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	require.NoError(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	require.NoError(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	name, err := unix.Getsockname(fd)
	require.NoError(t, err)
	return &port{fd, fmt.Sprintf("127.0.0.1:%d", name.(*unix.SockaddrInet4).Port)}
}

func TestPausedTimersLose(t *testing.T) {
	for name, pause := range pauses {
		t.Run(name, func(t *testing.T) {
			testkit.NeedsFor(t, pause.script)
			t.Parallel()
			for range 5 {
				if told, inTime := pausedOnce(t, name, pause); inTime {
					assert.Equal(t, strings.TrimSpace(pause.want), told)
					return
				}
			}
			t.Skip("the machine is too busy to stop the program in time")
		})
	}
}

// pausedOnce stops the program in time, lets happen what is to happen, and answers what it
// tells when it goes on after its timer was over; inTime: it was stopped before that.
func pausedOnce(t *testing.T, name string, pause pause) (told string, inTime bool) {
	files := pauseFiles(t.TempDir())
	port := bound(t)
	files.write(t, "address", port.address)

	program := helper("paused", name, string(files))
	out, err := program.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, program.Start())
	hung := time.AfterFunc(30*time.Second, func() { program.Process.Kill() })
	engine := ""
	defer func() {
		hung.Stop()
		program.Process.Kill()
		program.Wait()
		if engine != "" {
			for _, p := range testkit.Marked(engine) {
				haveEnded(t, p.PID)
			}
		}
	}()
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "it does not begin")
	var leader int
	var started int64
	_, err = fmt.Sscan(lines.Text(), &leader, &started)
	require.NoError(t, err)
	begun := time.Now()
	require.NoError(t, program.Process.Signal(syscall.SIGSTOP))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, "T", stat(program.Process.Pid))
	}, 10*time.Second, tick, "it is stopped")
	took := time.Since(time.UnixMilli(started))
	if engine = environOf(leader, "PROCESSION_ENGINE"); took > term*9/10 {
		return "", false
	}
	require.NotEmpty(t, engine)
	files.write(t, "go", "")
	if pause.while != nil {
		pause.while(t, port)
	}
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		if len(files.all("did")) == 0 {
			assert.Len(c, testkit.Marked(engine), pause.left)
			assert.False(c, testkit.Alive(leader), "the leader is alive")
		}
	}, 10*time.Second, tick, "it has happened")
	time.Sleep(time.Until(begun.Add(term + term/4))) // the timer is over
	require.NoError(t, program.Process.Signal(syscall.SIGCONT))
	require.True(t, lines.Scan(), "nothing is told")
	told = lines.Text()
	program.Wait()
	return told, true
}

// environOf is the value of a variable of a process, empty if that has ended.
func environOf(pid int, name string) string {
	env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	for entry := range strings.SplitSeq(string(env), "\x00") {
		if value, is := strings.CutPrefix(entry, name+"="); is {
			return value
		}
	}
	return ""
}

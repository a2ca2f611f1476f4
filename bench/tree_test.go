//go:build linux

package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

// treeScript makes a tree of n processes, all in one group, and says when it is
// complete.
func treeScript(n int) string {
	if n == 1 {
		return "echo complete; exec sleep " + sleepTime
	}
	return fmt.Sprintf("i=1; while [ $i -lt %d ]; do sleep %s & i=$((i+1)); done; echo complete; wait", n, sleepTime)
}

var complete = regexp.MustCompile("complete")

// engineTree starts a tree and returns when it is complete.
func engineTree(b *testing.B, e *procession.Engine, n int) (id string) {
	id, err := e.Start(background, procession.Shell(treeScript(n)))
	require.NoError(b, err)
	_, err = e.WaitFor(background, id, complete)
	require.NoError(b, err)
	return id
}

// engineKill is how long Kill takes.
func engineKill(b *testing.B, e *procession.Engine, id string) float64 {
	info, err := e.Info(background, id)
	require.NoError(b, err)
	took := nanoseconds(func() { _, err = e.Kill(background, id) })
	require.NoError(b, err)
	require.Empty(b, members(info.PID), "Kill returned before its group was gone")
	require.NoError(b, e.Release(background, id))
	return took
}

// members are those of a process group that are no zombies.
func members(group int) (living []testkit.Process) {
	if errors.Is(syscall.Kill(-group, 0), syscall.ESRCH) {
		return nil
	}
	for _, p := range testkit.Processes() {
		if p.Group == group && p.State != 'Z' && p.State != 'X' {
			living = append(living, p)
		}
	}
	return living
}

// announcement keeps what is written to it, and tells when that is something.
type announcement struct {
	kept bytes.Buffer
	once sync.Once
	made chan struct{}
}

// Write appends to what is kept.
func (a *announcement) Write(p []byte) (int, error) {
	a.once.Do(func() { close(a.made) })
	return a.kept.Write(p)
}

// plainTree is a tree that is ended by a signal to its group, at the latest at
// the end of the benchmark.
type plainTree struct {
	cmd  *exec.Cmd
	gone bool
}

func newPlainTree(b *testing.B, n int) *plainTree {
	stdout := &announcement{made: make(chan struct{})}
	cmd := exec.Command("/bin/sh", "-c", treeScript(n))
	cmd.Stdout, cmd.Stderr = stdout, &bytes.Buffer{}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	require.NoError(b, cmd.Start())
	t := &plainTree{cmd: cmd}
	b.Cleanup(func() {
		if !t.gone {
			t.kill(b)
		}
	})
	<-stdout.made
	return t
}

// kill is how long it takes from the signal until Wait answers, which it does
// when the last member of the group has closed the pipes: that is as good as
// dead.
func (t *plainTree) kill(b *testing.B) float64 {
	pid := t.cmd.Process.Pid
	t.gone = true
	return nanoseconds(func() {
		check(b, syscall.Kill(-pid, syscall.SIGTERM))
		t.cmd.Wait()
	})
}

// BenchmarkKill: from Kill to the whole tree gone, against kill(-pgid) and Wait.
func BenchmarkKill(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("tree=%d", n), func(b *testing.B) {
			e := newEngine(b)
			compareKill(b, e, n, 21)
		})
	}
}

func compareKill(b *testing.B, e *procession.Engine, n, rounds int) {
	compare(b, rounds,
		side{"engine", func() float64 { return engineKill(b, e, engineTree(b, e, n)) }},
		side{"plain", func() float64 { return newPlainTree(b, n).kill(b) }},
	).cost(0, "ns/kill")
}

// unrelated starts n processes that have nothing to do with the engine, and
// ends them at the end of the benchmark.
func unrelated(b *testing.B, n int) {
	b.Helper()
	newPlainTree(b, n)
	time.Sleep(100 * time.Millisecond)
}

// BenchmarkSweep: the same, and start → exit → release, with 3,000 unrelated
// processes on the machine. The engine must look at those that are younger than
// the tree: none of them, or all.
func BenchmarkSweep(b *testing.B) {
	n := scale(3000)
	b.Run(fmt.Sprintf("unrelated=%d/kill=younger", n), func(b *testing.B) {
		e := newEngine(b)
		unrelated(b, n)
		compareKill(b, e, 10, 11)
	})
	b.Run(fmt.Sprintf("unrelated=%d/kill=older", n), func(b *testing.B) {
		e := newEngine(b)
		const most = 200
		var trees []string
		var plain []*plainTree
		for range most { // before the others
			trees = append(trees, idle(b, e))
			plain = append(plain, newPlainTree(b, 1))
		}
		unrelated(b, n)
		compare(b, 21,
			side{"engine", func() float64 {
				require.NotEmpty(b, trees, "more than %d rounds", most-1)
				id := trees[0]
				trees = trees[1:]
				return engineKill(b, e, id)
			}},
			side{"plain", func() float64 {
				t := plain[0]
				plain = plain[1:]
				return t.kill(b)
			}},
		).cost(0, "ns/kill")
	})
	b.Run(fmt.Sprintf("unrelated=%d/start", n), func(b *testing.B) {
		e := newEngine(b)
		unrelated(b, n)
		const total = 96
		compare(b, 11,
			side{"engine", func() float64 {
				return atOnce(b, 8, total, func() error { return engineRun(e, trueSpec) })
			}},
			side{"plain", func() float64 {
				return atOnce(b, 8, total, func() error { return plainRun(trueProgram) })
			}},
		).speed(0, "ns/start")
	})
}

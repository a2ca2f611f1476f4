//go:build linux

package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	gocmd "github.com/go-cmd/cmd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
)

var background = context.Background()

// newEngine is an engine for one benchmark, as a program makes one: what is measured has
// nothing of enginetest.New.
func newEngine(b *testing.B) *procession.Engine {
	b.Helper()
	e, err := procession.New()
	require.NoError(b, err)
	b.Cleanup(func() {
		_, err := e.Shutdown(testkit.Within(b))
		assert.NoError(b, err)
	})
	return e
}

// check is require.NoError for what is measured: it costs nothing where there is no error.
func check(b *testing.B, err error) {
	if err != nil {
		b.Helper()
		require.NoError(b, err)
	}
}

// engineRun runs a process from start to release.
func engineRun(e *procession.Engine, spec procession.Spec) error {
	id, err := e.Start(background, spec)
	if err != nil {
		return err
	}
	exit, err := e.Wait(background, id)
	if err == nil && !exit.Success() {
		err = fmt.Errorf("%s: %v", spec.Command, exit)
	}
	if err != nil {
		e.Release(background, id)
		return err
	}
	return e.Release(background, id)
}

// plainRun does the same with os/exec: two pipes, copied into buffers.
func plainRun(name string, args ...string) error {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	return cmd.Run()
}

// goCmdRun does the same with go-cmd.
func goCmdRun(name string, args ...string) error {
	status := <-gocmd.NewCmd(name, args...).Start()
	if status.Error == nil && status.Exit != 0 {
		return fmt.Errorf("%s: exit status %d", name, status.Exit)
	}
	return status.Error
}

// bareRead runs cmd and reads its standard output 64 KiB at a time, which are
// thrown away. It answers how much that was.
func bareRead(cmd *exec.Cmd) (int64, error) { return readAll(cmd, bareLoop) }

// readAll runs cmd and reads its standard output in a loop.
func readAll(cmd *exec.Cmd, loop func(io.Reader, *atomic.Int64) (int64, error)) (int64, error) {
	r, err := bareStart(cmd)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	n, err := loop(r, nil)
	if err != nil {
		return n, err
	}
	return n, cmd.Wait()
}

func bareStart(cmd *exec.Cmd) (*os.File, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer w.Close()
	cmd.Stdout = w
	if err := cmd.Start(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// bareLoop reads to the end, and counts in total as it goes.
func bareLoop(r io.Reader, total *atomic.Int64) (n int64, err error) {
	buf := make([]byte, 64<<10)
	for {
		got, err := r.Read(buf)
		n += int64(got)
		if total != nil {
			total.Store(n)
		}
		if err == io.EOF {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// atOnce does f total times, atOnce of them at a time, and answers how long one
// takes on average, in nanoseconds.
func atOnce(b *testing.B, n, total int, f func() error) float64 {
	b.Helper()
	var left atomic.Int64
	left.Store(int64(total))
	var g errgroup.Group
	begin := time.Now()
	for range n {
		g.Go(func() error {
			for left.Add(-1) >= 0 {
				if err := f(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	check(b, g.Wait())
	return float64(time.Since(begin)) / float64(total)
}

// cpuTime is what this process has used so far, in nanoseconds, its children
// not included.
func cpuTime() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return float64(usage.Utime.Nano() + usage.Stime.Nano())
}

// allocations is what f allocates, as a number and in bytes, per each of n.
func allocations(n int, f func()) (count, bytes float64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.Mallocs-before.Mallocs) / float64(n), float64(after.TotalAlloc-before.TotalAlloc) / float64(n)
}

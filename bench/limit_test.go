//go:build linux

package bench

import (
	"bytes"
	"io"
	"os/exec"
	"runtime"
	"sync/atomic"
	"testing"
)

// The least that what the engine promises costs, done by hand. It shows how near
// to plain os/exec, or to a loop that keeps nothing, anything could come that
// promises the same.

// locked starts commands from a goroutine that is locked to its thread, which is
// what the parent-death signal asks for (golang/go#27505), and asks an actor three
// times for each, through another: for the start, the wait and the release.
type locked struct {
	actors *forwarded
	starts chan locking
}

type locking struct {
	cmd  *exec.Cmd
	done chan error
}

func newLocked(b *testing.B) *locked {
	l := &locked{actors: newForwarded(b), starts: make(chan locking)}
	for range runtime.GOMAXPROCS(0) {
		go func() {
			runtime.LockOSThread()
			for start := range l.starts {
				start.done <- start.cmd.Start()
			}
		}()
	}
	b.Cleanup(func() { close(l.starts) })
	return l
}

func (l *locked) run(name string, args ...string) error {
	var stdout, stderr bytes.Buffer
	start := locking{exec.Command(name, args...), make(chan error)}
	start.cmd.Stdout, start.cmd.Stderr = &stdout, &stderr
	if err := l.actors.request(); err != nil {
		return err
	}
	l.starts <- start
	if err := <-start.done; err != nil {
		return err
	}
	if err := l.actors.request(); err != nil {
		return err
	}
	if err := start.cmd.Wait(); err != nil {
		return err
	}
	return l.actors.request()
}

// keepingRead is bareRead, but for keeping what came last.
func keepingRead(cmd *exec.Cmd) (int64, error) { return readAll(cmd, keepingLoop) }

// keepingLoop reads 64 KiB at a time into as much memory as a log of 1 MiB takes,
// and again from the beginning.
func keepingLoop(r io.Reader, total *atomic.Int64) (n int64, err error) {
	const block = 64 << 10
	kept := make([]byte, oneMiB+block)
	for at := 0; ; at %= len(kept) {
		got, err := r.Read(kept[at:min(at+block, len(kept))])
		n += int64(got)
		at += got
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

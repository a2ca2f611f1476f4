package osproc

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// told is a handler that counts how often it is told.
type told chan struct{}

func (c told) readable() { c <- struct{}{} }

type pollRig struct {
	*poller
	t    *testing.T
	last told // of a pipe by which to know that what was ready before has been told
	pipe *os.File
}

func newPollRig(t *testing.T) *pollRig {
	t.Helper()
	p, err := newPoller()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.close)
	rig := &pollRig{poller: p, t: t, last: make(told, 100)}
	var r *os.File
	r, rig.pipe = rig.newPipe()
	if err := p.add(int(r.Fd()), rig.last); err != nil {
		t.Fatal(err)
	}
	return rig
}

func (rig *pollRig) newPipe() (r, w *os.File) {
	rig.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		rig.t.Fatal(err)
	}
	rig.t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

// count is how often a handler was told when w is written to. Events come in the
// order in which the descriptors became ready.
func (rig *pollRig) count(w *os.File, c told) int {
	rig.t.Helper()
	w.Write([]byte("."))
	for range 2 {
		rig.pipe.Write([]byte("."))
		select {
		case <-rig.last:
		case <-time.After(basicPatience):
			rig.t.Fatal("no event")
		}
	}
	n := len(c)
	for range n {
		<-c
	}
	return n
}

func TestPollerRemove(t *testing.T) {
	t.Parallel()
	rig := newPollRig(t)
	r, w := rig.newPipe()
	fd, first, second := int(r.Fd()), make(told, 100), make(told, 100)
	rig.remove(fd) // was not added
	rig.remove(-1)
	rig.remove(1 << 20)
	for range 3 {
		if err := rig.add(fd, first); err != nil {
			t.Fatal(err)
		}
		if n := rig.count(w, first); n == 0 {
			t.Error("it was not told")
		}
		rig.remove(fd)
		rig.remove(fd)
		if n := rig.count(w, first); n != 0 {
			t.Errorf("after remove it was told %d times", n)
		}
		if err := rig.add(fd, second); err != nil {
			t.Fatal(err)
		}
		if n := rig.count(w, second); n == 0 || len(first) > 0 {
			t.Errorf("who came after was told %d times, who was removed %d times", n, len(first))
		}
		rig.remove(fd)
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
		t.Errorf("it is not open any more: %v", err)
	}
}

func TestPollerDrop(t *testing.T) {
	t.Parallel()
	rig := newPollRig(t)
	r, w := rig.newPipe()
	fd, first, second := int(r.Fd()), make(told, 100), make(told, 100)
	rig.drop(fd) // was not added
	rig.drop(-1)
	rig.drop(1 << 20)
	if err := rig.add(fd, first); err != nil {
		t.Fatal(err)
	}
	serial := rig.registered[fd].serial
	if err := rig.add(fd, first); err == nil {
		t.Error("it was added twice")
	}
	rig.drop(fd)
	if n := rig.count(w, first); n != 0 {
		t.Errorf("after drop it was told %d times", n)
	}
	// Another pipe has the number now, and that of the first is closed.
	r2, w2 := rig.newPipe()
	if err := unix.Dup3(int(r2.Fd()), fd, unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	if err := rig.add(fd, second); err != nil {
		t.Fatal(err)
	}
	if rig.handler(unix.EpollEvent{Fd: int32(fd), Pad: serial}) != nil {
		t.Error("an event of the first is told to the second")
	}
	if n := rig.count(w2, second); n == 0 || len(first) > 0 {
		t.Errorf("who came after was told %d times, who was dropped %d times", n, len(first))
	}
}

package osproc

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
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
	require.NoError(t, err)
	t.Cleanup(p.close)
	rig := &pollRig{poller: p, t: t, last: make(told, 100)}
	var r *os.File
	r, rig.pipe = rig.newPipe()
	require.NoError(t, p.add(int(r.Fd()), rig.last))
	return rig
}

func (rig *pollRig) newPipe() (r, w *os.File) {
	rig.t.Helper()
	r, w, err := os.Pipe()
	require.NoError(rig.t, err)
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
		case <-time.After(testkit.Patience):
			require.Fail(rig.t, "no event")
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
		require.NoError(t, rig.add(fd, first))
		assert.NotZero(t, rig.count(w, first), "it was not told")
		rig.remove(fd)
		rig.remove(fd)
		assert.Zero(t, rig.count(w, first), "it was told after remove")
		require.NoError(t, rig.add(fd, second))
		assert.NotZero(t, rig.count(w, second), "who came after was not told")
		assert.Empty(t, first, "who was removed was told")
		rig.remove(fd)
	}
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	assert.NoError(t, err, "it is not open any more")
}

func TestPollerDrop(t *testing.T) {
	t.Parallel()
	rig := newPollRig(t)
	r, w := rig.newPipe()
	fd, first, second := int(r.Fd()), make(told, 100), make(told, 100)
	rig.drop(fd) // was not added
	rig.drop(-1)
	rig.drop(1 << 20)
	require.NoError(t, rig.add(fd, first))
	serial := rig.registered[fd].serial
	assert.Error(t, rig.add(fd, first), "it was added twice")
	rig.drop(fd)
	assert.Zero(t, rig.count(w, first), "it was told after drop")
	// Another pipe has the number now, and that of the first is closed.
	r2, w2 := rig.newPipe()
	require.NoError(t, unix.Dup3(int(r2.Fd()), fd, unix.O_CLOEXEC))
	require.NoError(t, rig.add(fd, second))
	assert.Nil(t, rig.handler(unix.EpollEvent{Fd: int32(fd), Pad: serial}), "an event of the first is told to the second")
	assert.NotZero(t, rig.count(w2, second), "who came after was not told")
	assert.Empty(t, first, "who was dropped was told")
}

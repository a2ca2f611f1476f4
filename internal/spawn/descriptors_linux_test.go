//go:build amd64 || arm64

package spawn

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// The thread has a pidfd of this process, and nothing else for longer than a start.

// onlyPidfd asserts that the thread's descriptors are those.
func onlyPidfd(t *testing.T) {
	t.Helper()
	tid := idle(t, current(t))
	all := descriptorsOf(fmt.Sprintf("self/task/%d", tid))
	require.Len(t, all, 1, "%v", all)
	require.Contains(t, all[ownPidfd], "pidfd")
	info, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/fdinfo/%d", tid, ownPidfd))
	require.NoError(t, err)
	if strings.Contains(string(info), "Pid:") {
		require.Equal(t, fmt.Sprint(os.Getpid()), statusLine(t, string(info), "Pid"))
	}
	flags := statusLine(t, string(info), "flags")
	assert.True(t, strings.HasPrefix(flags, "02"), "O_CLOEXEC in %s", flags)
}

func TestNoCopyOfADescriptorIsHeld(t *testing.T) {
	f := scripts(t)
	onlyPidfd(t)
	for range 10 {
		output(t, f, helper("report"))
		begin(f, &Program{Cmd: command("/no/such/program"), Files: quiet()})
		begin(f, &Program{Cmd: helper("report"), Files: [3]int{null(), null(), 9999}})
	}
	onlyPidfd(t)
}

func TestAReaderSeesTheEndAsSoonAsTheWritersHaveClosed(t *testing.T) {
	f := scripts(t)
	for range 50 {
		r, w := newPipe(t)
		other, unrelated := newPipe(t)
		pid := born(t, f, &Program{Cmd: command(testkit.Program(t, "true")), Files: [3]int{null(), w, w}})
		unix.Close(w)
		unix.Close(unrelated)
		for _, end := range []*os.File{r, other} {
			text, err := readAll(end)
			require.NoError(t, err)
			require.Empty(t, text)
		}
		ended(t, pid)
	}
}

func TestAWriterIsToldAsSoonAsTheReadersHaveClosed(t *testing.T) {
	f := scripts(t)
	for range 50 {
		var ends [2]int
		require.NoError(t, unix.Pipe2(ends[:], unix.O_CLOEXEC))
		pid := born(t, f, &Program{Cmd: command(testkit.Program(t, "true")), Files: [3]int{ends[0], null(), 2}})
		unix.Close(ends[0])
		ended(t, pid)
		require.Eventually(t, func() bool {
			_, err := unix.Write(ends[1], []byte("x"))
			return err == unix.EPIPE
		}, patience, tick)
		unix.Close(ends[1])
	}
}

// TestAListenerThatWasGivenToAChildCanBeListenedAgain also has a second one that was not.
func TestAListenerThatWasGivenToAChildCanBeListenedAgain(t *testing.T) {
	f := scripts(t)
	for range 20 {
		var addresses []string
		var files [2]*os.File
		var listeners [2]*net.UnixListener
		dir := t.TempDir()
		for i := range listeners {
			address := filepath.Join(dir, fmt.Sprint(i))
			listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: address})
			require.NoError(t, err)
			listeners[i], addresses = listener, append(addresses, address)
			files[i], err = listener.File()
			require.NoError(t, err)
		}
		pid := born(t, f, &Program{Cmd: command(testkit.Program(t, "true")), Files: [3]int{int(files[0].Fd()), null(), 2}})
		ended(t, pid)
		for i, listener := range listeners {
			listener.SetUnlinkOnClose(false)
			require.NoError(t, files[i].Close())
			require.NoError(t, listener.Close())
			require.Eventually(t, func() bool {
				_, err := net.Dial("unix", addresses[i])
				return err != nil
			}, patience, tick, "somebody still listens")
		}
	}
	for range 20 {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		file, err := listener.(*net.TCPListener).File()
		require.NoError(t, err)
		pid := born(t, f, &Program{Cmd: command(testkit.Program(t, "true")), Files: [3]int{int(file.Fd()), null(), 2}})
		ended(t, pid)
		address := listener.Addr().String()
		require.NoError(t, file.Close())
		require.NoError(t, listener.Close())
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			again, err := net.Listen("tcp", address)
			if assert.NoError(c, err) {
				again.Close()
			}
		}, patience, tick)
	}
}

// TestNothingIsHeldWhenDescriptors0To2AreClosedAtFirst closes them before the thread is
// made: what it opens then has those numbers, but in its own table.
func TestNothingIsHeldWhenDescriptors0To2AreClosedAtFirst(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	kept := [3]int{}
	for fd := range kept {
		other, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 100)
		require.NoError(t, err)
		kept[fd] = other
	}
	for fd := range kept { // nothing is printed from here
		unix.Close(fd)
	}
	before := descriptorsOf("self")
	f := New(false)
	after := descriptorsOf("self")
	var ends [2]int
	pipeErr := unix.Pipe2(ends[:], unix.O_CLOEXEC) // they are 0 and 1
	pid, err := begin(f, &Program{Cmd: helper("report"), Files: [3]int{ends[0], ends[1], kept[2]}})
	ours := descriptorsOf("self")
	r, w := ends[0]+200, ends[1]+200
	dupErr := unix.Dup3(ends[0], r, unix.O_CLOEXEC)
	unix.Dup3(ends[1], w, unix.O_CLOEXEC)
	for fd, other := range kept {
		unix.Dup3(other, fd, 0)
	}
	unix.Close(w)
	if f.Refusal() != nil {
		t.Skip(f.Refusal())
	}
	require.NoError(t, pipeErr)
	require.NoError(t, dupErr)
	require.NoError(t, err)
	assert.Equal(t, [2]int{0, 1}, ends)
	assert.Equal(t, before, after, "making the thread closes and opens nothing here")
	assert.Zero(t, ended(t, pid))
	text := make([]byte, 1<<16)
	n, err := unix.Read(r, text)
	require.NoError(t, err)
	got := reported(t, string(text[:n])).Descriptors
	assert.Equal(t, ours[0], got[0])
	assert.Equal(t, ours[1], got[1])
	assert.Len(t, got, 3)
	onlyPidfd(t)
}

// TestAStartNeedsNoFreeDescriptor fills this program's table.
func TestAStartNeedsNoFreeDescriptor(t *testing.T) {
	if !(alone{shell: "ulimit -n 200"}).run(t) {
		return
	}
	f, cmd := scripts(t), helper("report")
	r, w := newPipe(t)
	null()
	var err error
	var filled []int
	for fd := 0; err == nil; filled = append(filled, fd) {
		fd, err = unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 0)
	}
	require.ErrorIs(t, err, unix.EMFILE)
	pid, err := begin(f, &Program{Cmd: cmd, Files: [3]int{null(), w, 2}})
	for _, fd := range filled[:len(filled)-1] {
		unix.Close(fd)
	}
	unix.Close(w)
	require.NoError(t, err)
	text, err := readAll(r)
	require.NoError(t, err)
	assert.Len(t, reported(t, text).Descriptors, 3)
	assert.Zero(t, ended(t, pid))
}

// TestAProgramJustWrittenCanBeStarted writes programs and starts them, many at once. A
// fork that copies descriptors makes them busy now and then (golang/go#22315).
func TestAProgramJustWrittenCanBeStarted(t *testing.T) {
	f, sh := scripts(t), testkit.Program(t, "sh")
	dir := t.TempDir()
	binary, err := os.ReadFile(testkit.Program(t, "true"))
	require.NoError(t, err)
	if len(binary) > 4<<20 {
		t.Skipf("true is of %d bytes", len(binary))
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for j := range 25 {
				path := filepath.Join(dir, fmt.Sprint(i, j))
				if !assert.NoError(t, os.WriteFile(path, binary, 0o755)) {
					return
				}
				pid, err := begin(f, &Program{Cmd: command(path), Files: quiet()})
				if !assert.NoError(t, err) {
					return
				}
				end(pid)
				_, err = outcome(f, command(sh, "-c", "exit 0"))
				assert.NoError(t, err)
				os.Remove(path)
			}
		})
	}
	all.Wait()
}

// TestAPositionIsSharedWithTheChild gives a file: what the child has read is read.
func TestAPositionIsSharedWithTheChild(t *testing.T) {
	bothWays(t, func(t *testing.T, f *Forker) {
		path := filepath.Join(t.TempDir(), "text")
		require.NoError(t, os.WriteFile(path, []byte("for the child, for us"), 0o644))
		file, err := os.Open(path)
		require.NoError(t, err)
		defer file.Close()
		cmd := command(testkit.Program(t, "dd"), "bs=15", "count=1")
		ended(t, born(t, f, &Program{Cmd: cmd, Files: [3]int{int(file.Fd()), null(), null()}}))
		rest, err := io.ReadAll(file)
		require.NoError(t, err)
		assert.Equal(t, "for us", string(rest))
	})
}

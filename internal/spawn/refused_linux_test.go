//go:build amd64 || arm64

package spawn

import (
	"io/fs"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// refusals are system calls that a script needs, and how kernels and sandboxes refuse them.
var refusals = []struct {
	name   string
	number uintptr
	errno  unix.Errno
}{
	{"clone3", unix.SYS_CLONE3, unix.ENOSYS},
	{"pidfd_getfd", unix.SYS_PIDFD_GETFD, unix.EPERM},
	{"pidfd_getfd, unknown", unix.SYS_PIDFD_GETFD, unix.ENOSYS},
	{"pidfd_open", unix.SYS_PIDFD_OPEN, unix.EPERM},
	{"close_range", unix.SYS_CLOSE_RANGE, unix.ENOSYS},
	{"close_range, not permitted", unix.SYS_CLOSE_RANGE, unix.EPERM},
	{"close_range, as before it could unshare", unix.SYS_CLOSE_RANGE, unix.EINVAL},
}

// TestWhereTheKernelRefusesProgramsStartThePlainWay also looks at the descriptors of this
// program: a thread that has no table of its own must not close any.
func TestWhereTheKernelRefusesProgramsStartThePlainWay(t *testing.T) {
	for _, refusal := range refusals {
		t.Run(refusal.name, func(t *testing.T) {
			if !(alone{}).run(t) {
				return
			}
			null()
			before := withoutPoller(descriptorsOf("self"))
			refuse(t, refusal.number, refusal.errno)
			f := New(false)
			defer f.Close()
			assert.Equal(t, refusal.errno, f.Refusal())
			assert.Equal(t, before, withoutPoller(descriptorsOf("self")))
			got := reported(t, output(t, f, helper("report", "an argument")))
			got.Args.equal(t, []string{self, "an argument"})
			_, err := begin(f, &Program{Cmd: command("/no/such/program"), Files: quiet()})
			assert.IsType(t, &fs.PathError{}, err)
			assert.ErrorIs(t, err, unix.ENOENT)
			again := New(false)
			defer again.Close()
			assert.Equal(t, refusal.errno, again.Refusal())
			assert.Equal(t, before, withoutPoller(descriptorsOf("self")))
			for fd := range 3 {
				_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
				assert.NoError(t, err)
			}
			noChild(t)
		})
	}
}

// withoutPoller leaves out what the runtime opens for itself.
func withoutPoller(all map[int]string) map[int]string {
	for fd, what := range all {
		if what == "anon_inode:[eventpoll]" || what == "anon_inode:[eventfd]" {
			delete(all, fd)
		}
	}
	return all
}

// TestWhatTheKernelRefusesLaterIsNoReasonToStartNothing is a program that confines itself
// after it has begun to start others, for the first time or once more (as in most
// containers): os/exec goes on starting.
func TestWhatTheKernelRefusesLaterIsNoReasonToStartNothing(t *testing.T) {
	for _, once := range []string{"for the first time", "once more"} {
		for _, refusal := range refusals {
			t.Run(refusal.name+", "+once, func(t *testing.T) {
				if !(alone{}).run(t) {
					return
				}
				if once == "once more" {
					refuse(t, unix.SYS_ACCT, unix.EPERM)
				}
				f, cmd := scripts(t), command(testkit.Program(t, "echo"), "it runs")
				require.Equal(t, "it runs\n", output(t, f, cmd))
				before := withoutPoller(descriptorsOf("self"))
				refuse(t, refusal.number, refusal.errno)
				require.Equal(t, "it runs\n", osExec(t, cmd))
				text, err := outcome(f, cmd)
				assert.NoError(t, err)
				assert.Equal(t, "it runs\n", text)
				assert.Equal(t, before, withoutPoller(descriptorsOf("self")))
			})
		}
	}
}

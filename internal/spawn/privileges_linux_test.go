//go:build amd64 || arm64

package spawn

import (
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// What this program gives up for good, its children must not have either.

// allThreads makes a system call on all threads of the runtime, as package syscall does
// for Setuid and others.
func allThreads(t testing.TB, number uintptr, args ...uintptr) {
	t.Helper()
	var all [6]uintptr
	copy(all[:], args)
	_, _, errno := syscall.AllThreadsSyscall6(number, all[0], all[1], all[2], all[3], all[4], all[5])
	switch errno {
	case 0:
	case syscall.ENOTSUP:
		t.Skip("with cgo there is no AllThreadsSyscall")
	case syscall.ENOSYS:
		t.Skipf("this kernel has no call %d", number)
	default:
		require.NoError(t, errno)
	}
}

func noNewPrivileges(t testing.TB) { allThreads(t, unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1) }

const capChown = 0

func dropChown(t testing.TB) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	require.NoError(t, unix.Capget(&header, &caps[0]))
	caps[0].Effective &^= 1 << capChown
	caps[0].Permitted &^= 1 << capChown
	allThreads(t, unix.SYS_CAPSET, pointer(&header), pointer(&caps[0]))
	runtime.KeepAlive(&caps)
}

// surrenders are ways to give something up, for all threads of the runtime. None may be
// missed. Between one and the next a program is started.
var surrenders = []struct {
	name  string
	steps []func(testing.TB)
}{
	{"no_new_privs", []func(testing.TB){noNewPrivileges}},
	{"capabilities", []func(testing.TB){dropChown}},
	{"the capability bounding set", []func(testing.TB){func(t testing.TB) { // of it alone nothing cheap tells
		root(t)
		allThreads(t, unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, capChown)
		dropChown(t)
	}}},
	{"securebits", []func(testing.TB){func(t testing.TB) {
		root(t)
		const noRoot, noRootLocked = 1, 2
		allThreads(t, unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, noRoot|noRootLocked)
	}}},
	{"ambient capabilities", []func(testing.TB){
		func(t testing.TB) {
			root(t)
			header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
			var caps [2]unix.CapUserData
			require.NoError(t, unix.Capget(&header, &caps[0]))
			caps[0].Inheritable |= 1 << capChown
			allThreads(t, unix.SYS_CAPSET, pointer(&header), pointer(&caps[0]))
			allThreads(t, unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, capChown)
			const noRoot = 1
			allThreads(t, unix.SYS_PRCTL, unix.PR_SET_SECUREBITS, noRoot)
		},
		func(t testing.TB) { allThreads(t, unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL) },
	}},
	{"system calls", []func(testing.TB){noNewPrivileges, refuseRuntime(unix.SYS_ACCT)}}, // of a second filter nothing cheap tells
}

// refuseRuntime is refuse for the threads of the runtime only.
func refuseRuntime(number uintptr) func(testing.TB) {
	return func(t testing.TB) {
		prog := refusing(number, unix.EXDEV)
		allThreads(t, unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(prog)))
		runtime.KeepAlive(prog)
	}
}

func TestWhatThisProgramGaveUpItsChildrenDoNotHave(t *testing.T) {
	for _, surrender := range surrenders {
		t.Run(surrender.name, func(t *testing.T) {
			if !(alone{}).run(t) {
				return
			}
			f := scripts(t)
			asOSExec(t, f, "at first")
			for i, step := range surrender.steps {
				step(t)
				asOSExec(t, f, surrender.name)
				t.Logf("step %d", i+1)
			}
		})
	}
}

// TestWhatThisProgramMayNotDoItsChildrenMayNotEither is Landlock (landlock(7)), which
// nothing tells, but no_new_privs, without which it is not to be had, does.
func TestWhatThisProgramMayNotDoItsChildrenMayNotEither(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	f := scripts(t)
	dir := t.TempDir()
	mkdir := func(name string) *exec.Cmd { return command(testkit.Program(t, "mkdir"), dir+"/"+name) }
	output(t, f, mkdir("before"))
	handled := uint64(unix.LANDLOCK_ACCESS_FS_MAKE_DIR)
	rules, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, pointer(&handled), unsafe.Sizeof(handled), 0)
	if errno != 0 {
		t.Skipf("this kernel has no Landlock: %v", errno)
	}
	noNewPrivileges(t)
	allThreads(t, unix.SYS_LANDLOCK_RESTRICT_SELF, rules, 0)
	require.ErrorIs(t, unix.Mkdir(dir+"/here", 0o755), unix.EACCES)
	require.Error(t, exec.Command(testkit.Program(t, "mkdir"), dir+"/by os/exec").Run())
	_, err := outcome(f, mkdir("after"))
	assert.Error(t, err)
	assert.NoDirExists(t, dir+"/after")
}

// TestTheThreadIsNotLikeWhoeverComesFirst has a goroutine that is locked to its thread,
// and has changed that, start the first program. The others' must not be changed.
func TestTheThreadIsNotLikeWhoeverComesFirst(t *testing.T) {
	for name, odd := range map[string]struct {
		change func(testing.TB)
		look   []string
	}{
		"its priority": {
			func(t testing.TB) { assert.NoError(t, unix.Setpriority(unix.PRIO_PROCESS, 0, 17)) },
			[]string{"cut", "-d ", "-f19", "/proc/self/stat"},
		},
		"its processors": {
			func(t testing.TB) {
				var one, all unix.CPUSet
				assert.NoError(t, unix.SchedGetaffinity(0, &all))
				for cpu := range 1024 {
					if all.IsSet(cpu) {
						one.Set(cpu)
						break
					}
				}
				assert.NoError(t, unix.SchedSetaffinity(0, &one))
			},
			[]string{"grep", "Cpus_allowed_list", "/proc/self/status"},
		},
		"its host name": {
			func(t testing.TB) {
				if err := unix.Unshare(unix.CLONE_NEWUTS); assert.NoError(t, err) {
					assert.NoError(t, unix.Sethostname([]byte("another")))
				}
			},
			[]string{"cat", "/proc/sys/kernel/hostname"},
		},
		"its directory": {
			func(t testing.TB) {
				assert.NoError(t, unix.Unshare(unix.CLONE_FS))
				assert.NoError(t, unix.Chdir("/proc"))
			},
			[]string{"sh", "-c", "pwd -P"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if !(alone{}).run(t) {
				return
			}
			if name == "its host name" {
				root(t)
			}
			done := make(chan *Forker)
			go func() {
				runtime.LockOSThread() // for ever
				odd.change(t)
				done <- New(false)
			}()
			f := <-done
			if f.Refusal() != nil {
				t.Skip(f.Refusal())
			}
			t.Cleanup(f.Close)
			cmd := command(testkit.Program(t, odd.look[0]), odd.look[1:]...)
			assert.Equal(t, osExec(t, cmd), output(t, f, cmd))
		})
	}
}

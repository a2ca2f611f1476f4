//go:build amd64 || arm64

package spawn

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// Children have the credentials that this program has by now.

// privileges are the lines of /proc/PID/status that tell what a process may do.
var privileges = []string{"Uid", "Gid", "Groups", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Seccomp_filters"}

// may is what a process may do that has printed its status.
func may(t testing.TB, status string) (all string) {
	t.Helper()
	for _, name := range privileges {
		if strings.Contains(status, "\n"+name+":") {
			all += name + ": " + statusLine(t, status, name) + "\n"
		}
	}
	return all
}

// asOSExec asserts that f's child may do what os/exec's may, and returns its status.
func asOSExec(t testing.TB, f *Forker, what string) (status string) {
	t.Helper()
	cmd := command(testkit.Program(t, "cat"), "/proc/self/status")
	status = output(t, f, cmd)
	assert.Equal(t, may(t, osExec(t, cmd)), may(t, status), what)
	return status
}

func TestTheCredentialsOfTheWholeProgramReachItsChildren(t *testing.T) {
	root(t)
	if !(alone{}).run(t) {
		return
	}
	bothWays(t, func(t *testing.T, f *Forker) { asOSExec(t, f, "at first") })
	f := scripts(t)
	var groups []int
	for i := range 200 {
		groups = append(groups, 5000+i)
	}
	require.NoError(t, syscall.Setgroups(groups))
	status := asOSExec(t, f, "after Setgroups")
	assert.Len(t, strings.Fields(statusLine(t, status, "Groups")), 200)
	groups[199]++
	require.NoError(t, syscall.Setgroups(groups))
	status = asOSExec(t, f, "after Setgroups, of which one is another")
	assert.True(t, strings.HasSuffix(statusLine(t, status, "Groups"), " 5200"))
	require.NoError(t, syscall.Setgroups(groups[:64]))
	asOSExec(t, f, "after Setgroups, 64")
	require.NoError(t, syscall.Setgroups(nil))
	status = asOSExec(t, f, "after Setgroups, none")
	assert.Empty(t, statusLine(t, status, "Groups"))
	require.NoError(t, syscall.Setregid(nobody, 1234))
	asOSExec(t, f, "after Setregid")
	require.NoError(t, syscall.Setgid(nobody))
	asOSExec(t, f, "after Setgid")
	require.NoError(t, syscall.Setuid(nobody))
	status = asOSExec(t, f, "after Setuid")
	assert.Equal(t, "65534\t65534\t65534\t65534", statusLine(t, status, "Uid"))
	assert.Equal(t, "0000000000000000", statusLine(t, status, "CapEff"))
	asOSExec(t, New(false), "by another Forker")
}

func TestCredentialsThatComeBackHaveTheirThreadAgain(t *testing.T) {
	root(t)
	if !(alone{}).run(t) {
		return
	}
	f := scripts(t)
	for range 10 {
		require.NoError(t, syscall.Seteuid(nobody))
		assert.Equal(t, "0\t65534\t65534\t65534", statusLine(t, asOSExec(t, f, "as nobody"), "Uid"))
		require.NoError(t, syscall.Seteuid(0))
		assert.Equal(t, "0\t0\t0\t0", statusLine(t, asOSExec(t, f, "as root"), "Uid"))
	}
	assert.Len(t, threads.all, 2)
}

// TestAThreadHasTheCredentialsThatItIsKnownBy starts programs while credentials change.
// What starts then may have these or those. What starts later must have the later ones.
func TestAThreadHasTheCredentialsThatItIsKnownBy(t *testing.T) {
	root(t)
	if !(alone{}).run(t) {
		return
	}
	f, cmd := scripts(t), command(testkit.Program(t, "cat"), "/proc/self/status")
	begun := time.Now()
	for round := 0; round < 120 && time.Since(begun) < 3*time.Second; round++ {
		one, other := 10_000+2*round, 10_001+2*round
		stop, starting := make(chan struct{}), sync.WaitGroup{}
		for range 3 {
			starting.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
						_, err := outcome(f, cmd)
						assert.NoError(t, err)
					}
				}
			})
		}
		for range 5 {
			require.NoError(t, syscall.Setegid(one))
			require.NoError(t, syscall.Setegid(other))
		}
		close(stop)
		starting.Wait()
		for _, gid := range []int{one, other} {
			require.NoError(t, syscall.Setegid(gid))
			require.Equal(t, fmt.Sprintf("0\t%d\t%d\t%d", gid, gid, gid), statusLine(t, output(t, f, cmd), "Gid"), "round %d", round)
		}
	}
}

// TestAProgramHasTheCredentialsOfTheWholeProgramWhoeverStartsIt has a goroutine that is
// locked to its thread, and has changed the credentials of that, start one.
func TestAProgramHasTheCredentialsOfTheWholeProgramWhoeverStartsIt(t *testing.T) {
	root(t)
	if !(alone{}).run(t) {
		return
	}
	cmd := command(testkit.Program(t, "cat"), "/proc/self/status")
	bothWays(t, func(t *testing.T, f *Forker) {
		for range 3 {
			done := make(chan string)
			go func() {
				runtime.LockOSThread() // for ever
				unix.RawSyscall(unix.SYS_SETRESGID, nobody, nobody, nobody)
				unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody)
				text, err := outcome(f, cmd)
				done <- text + fmt.Sprint(err)
			}()
			text := <-done
			assert.Equal(t, "0\t0\t0\t0", statusLine(t, text, "Uid"))
			assert.Equal(t, "0\t0\t0\t0", statusLine(t, text, "Gid"))
			assert.Equal(t, "0\t0\t0\t0", statusLine(t, asOSExec(t, f, "the others"), "Uid"))
		}
	})
	assert.Len(t, threads.all, 1, "no thread is made for each start")
}

// TestAllThreadsSyscallDoesNotWaitForTheThread changes credentials while programs start.
func TestAllThreadsSyscallDoesNotWaitForTheThread(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	f, cmd := scripts(t), command(testkit.Program(t, "true"))
	unborn(t, f) // it waits for nobody, either
	var starting sync.WaitGroup
	for range 4 {
		starting.Go(func() {
			for range 100 {
				_, err := outcome(f, cmd)
				assert.NoError(t, err)
			}
		})
	}
	for range 100 {
		if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0); errno == syscall.ENOTSUP {
			require.NoError(t, syscall.Setuid(syscall.Getuid())) // the C library does it
		}
	}
	starting.Wait()
}

// TestAllThreadsSyscallDoesNotWaitForOneThatMakesAThread makes many while credentials
// change. All signals are blocked for a moment then. A goroutine that was stopped in it
// would never hear of what its thread is to do, and the whole program would stand still.
func TestAllThreadsSyscallDoesNotWaitForOneThatMakesAThread(t *testing.T) {
	if !(alone{most: 30 * time.Second}).run(t) {
		return
	}
	scripts(t)
	if _, _, errno := syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0); errno == syscall.ENOTSUP {
		t.Skip("with cgo there is no AllThreadsSyscall")
	}
	stop := make(chan struct{})
	var changing sync.WaitGroup
	changing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				syscall.AllThreadsSyscall(unix.SYS_GETPID, 0, 0, 0)
			}
		}
	})
	begun := time.Now()
	for n := 0; n < 1000 && time.Since(begun) < 5*time.Second; n++ {
		made, err := newThread()
		require.NoError(t, err)
		threads.mu.Lock() // they never end: what they have must be kept
		threads.all = append(threads.all, made)
		threads.mu.Unlock()
	}
	close(stop)
	changing.Wait()
}

func TestTheDirectoryAndTheUmaskOfTheWholeProgramReachItsChildren(t *testing.T) {
	if !(alone{}).run(t) {
		return
	}
	f, sh := scripts(t), testkit.Program(t, "sh")
	cmd := command(sh, "-c", "umask; pwd -P")
	output(t, f, cmd)
	require.NoError(t, syscall.Chdir("/proc"))
	syscall.Umask(0o127)
	text := output(t, f, cmd)
	assert.Equal(t, osExec(t, cmd), text)
	assert.True(t, strings.HasSuffix(text, "127\n/proc\n"), text)
}

//go:build amd64 || arm64

package spawn

import (
	"os"
	"reflect"
	"syscall"
	"testing"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/procession-go/procession/internal/testkit"
)

// What a script can do, and what it leaves to package syscall.

// something is a value that is not zero, and not even empty.
func something(of reflect.Type) reflect.Value {
	v := reflect.New(of).Elem()
	switch of.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		v.SetUint(1)
	case reflect.String:
		v.SetString("/")
	case reflect.Pointer:
		v.Set(reflect.New(of.Elem()))
	case reflect.Slice:
		v.Set(reflect.MakeSlice(of, 1, 1))
	default:
		panic("no idea of " + of.String())
	}
	return v
}

// TestAScriptDoesWhatItCanAndNothingElse sets one field after the other, those included
// that only a later version of Go has.
func TestAScriptDoesWhatItCanAndNothingElse(t *testing.T) {
	can := map[string]bool{"Setsid": true, "Setpgid": true, "Setctty": true, "Pdeathsig": true}
	assert.True(t, expressible(nil))
	assert.True(t, expressible(&syscall.SysProcAttr{}))
	assert.True(t, expressible(&syscall.SysProcAttr{Setsid: true, Setctty: true, Setpgid: true, Pdeathsig: syscall.SIGKILL}))
	of := reflect.TypeFor[syscall.SysProcAttr]()
	for i := range of.NumField() {
		field := of.Field(i)
		t.Run(field.Name, func(t *testing.T) {
			attr := &syscall.SysProcAttr{}
			reflect.ValueOf(attr).Elem().Field(i).Set(something(field.Type))
			assert.Equal(t, can[field.Name], expressible(attr))
			attr.Setsid = true
			assert.Equal(t, can[field.Name], expressible(attr), "with Setsid")
			delete(can, field.Name)
		})
	}
	assert.Empty(t, can, "there are no such fields")
}

// odd has f start a program by a field that no script knows.
func odd(t *testing.T, f *Forker, attr *syscall.SysProcAttr) report {
	t.Helper()
	require.False(t, expressible(attr))
	cmd := helper("report")
	cmd.SysProcAttr = attr
	return reported(t, output(t, f, cmd))
}

func TestWhatNoScriptCanDoIsDoneThePlainWay(t *testing.T) {
	f := scripts(t)

	t.Run("Credential", func(t *testing.T) {
		root(t)
		got := odd(t, f, &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}})
		assert.Equal(t, nobody, got.UID)
	})
	t.Run("Chroot", func(t *testing.T) {
		root(t)
		inside := t.TempDir()
		require.NoError(t, os.Mkdir(inside+"/below", 0o755))
		require.NoError(t, os.Mkdir(inside+"/proc", 0o755))
		require.NoError(t, unix.Mount("/proc", inside+"/proc", "", unix.MS_BIND, ""))
		defer unix.Unmount(inside+"/proc", unix.MNT_DETACH)
		cmd := helper("report")
		cmd.SysProcAttr, cmd.Dir = &syscall.SysProcAttr{Chroot: inside}, "/below"
		if _, err := outcome(f, cmd); err != nil {
			t.Skipf("the test binary does not run in an empty directory: %v", err)
		}
		assert.Equal(t, "/below", reported(t, output(t, f, cmd)).Dir)
	})
	t.Run("Pgid", func(t *testing.T) {
		leader := command(testkit.Program(t, "cat"))
		leader.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		var ends [2]int
		require.NoError(t, unix.Pipe2(ends[:], unix.O_CLOEXEC))
		defer unix.Close(ends[0])
		pid := born(t, f, &Program{Cmd: leader, Files: [3]int{ends[0], null(), 2}})
		killed(t, pid)
		assert.Equal(t, pid, odd(t, f, &syscall.SysProcAttr{Setpgid: true, Pgid: pid}).Group)
		unix.Close(ends[1])
	})
	t.Run("Noctty", func(t *testing.T) {
		cmd := helper("report")
		cmd.SysProcAttr = &syscall.SysProcAttr{Noctty: true}
		_, err := begin(f, &Program{Cmd: cmd, Files: quiet()})
		assert.ErrorIs(t, err, unix.ENOTTY)
	})
	t.Run("Ctty", func(t *testing.T) {
		ours, theirs, err := pty.Open()
		require.NoError(t, err)
		defer ours.Close()
		defer theirs.Close()
		r, w := newPipe(t)
		cmd := helper("report")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 2}
		pid := born(t, f, &Program{Cmd: cmd, Files: [3]int{null(), w, int(theirs.Fd())}})
		unix.Close(w)
		text, err := readAll(r)
		require.NoError(t, err)
		ended(t, pid)
		assert.NotZero(t, reported(t, text).Terminal)
	})
	t.Run("Cloneflags", func(t *testing.T) {
		root(t)
		cmd := command(testkit.Program(t, "sh"), "-c", "readlink /proc/self/ns/uts")
		own := output(t, f, cmd)
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUTS}
		assert.NotEqual(t, own, output(t, f, cmd))
		cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWUTS}
		assert.NotEqual(t, own, output(t, f, cmd))
	})
	t.Run("AmbientCaps", func(t *testing.T) {
		root(t)
		cmd := command(testkit.Program(t, "cat"), "/proc/self/status")
		cmd.SysProcAttr = &syscall.SysProcAttr{AmbientCaps: []uintptr{capChown}}
		assert.Equal(t, "0000000000000001", statusLine(t, output(t, f, cmd), "CapAmb"))
	})
	t.Run("PidFD", func(t *testing.T) {
		fd := -1
		odd(t, f, &syscall.SysProcAttr{PidFD: &fd})
		if fd >= 0 {
			assert.NoError(t, unix.Close(fd))
		}
	})
	t.Run("UidMappings", func(t *testing.T) {
		mappings := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		groups := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
		cmd := helper("report")
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: mappings, GidMappings: groups}
		if _, err := outcome(f, cmd); err != nil {
			t.Skipf("there are no user namespaces: %v", err)
		}
		assert.Zero(t, reported(t, output(t, f, cmd)).UID)
	})
	noChild(t)
}

// TestAForkerStartsBothWaysAtOnce has one hang that is scripted.
func TestAForkerStartsBothWaysAtOnce(t *testing.T) {
	f := scripts(t)
	b := unborn(t, f)
	assert.False(t, b.Wait(0))
	group := unix.Getpgrp()
	assert.Equal(t, group, odd(t, f, &syscall.SysProcAttr{Setpgid: true, Pgid: group}).Group)
	assert.Equal(t, group, reported(t, output(t, f, helper("report"))).Group)
}

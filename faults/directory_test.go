//go:build linux

package faults

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/internal/testkit"
	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// That a directory may not be entered is not blamed on the program.
func TestADirectoryThatMayNotBeEntered(t *testing.T) {
	testkit.Needs(t, "bash")
	if testkit.AsNobody(t) {
		return
	}
	e := enginetest.New(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for name, mode := range map[string]os.FileMode{"closed": 0, "to be read": 0o600, "to be listed": 0o400, "to be entered": 0o100} {
		require.NoError(t, os.Mkdir(at(name), 0o700))
		require.NoError(t, os.Mkdir(at(name+"/below"), 0o700))
		require.NoError(t, os.Chmod(at(name), mode))
		t.Cleanup(func() { os.Chmod(at(name), 0o700) })
	}
	require.NoError(t, os.Symlink("closed", at("link")))
	require.NoError(t, os.Symlink("loop", at("loop")))
	require.NoError(t, os.WriteFile(at("file"), nil, 0o755))
	for name, want := range map[string]syscall.Errno{
		"closed": syscall.EACCES, "to be read": syscall.EACCES, "to be listed": syscall.EACCES, "link": syscall.EACCES, "closed/below": syscall.EACCES,
		"to be entered": 0, "to be entered/below": 0,
		"missing": syscall.ENOENT, "file": syscall.ENOTDIR, "loop": syscall.ELOOP,
	} {
		for _, spec := range []procession.Spec{{Command: "/bin/true"}, {Command: "true"}, procession.Shell("true"), {Command: "true", PTY: &procession.Size{Rows: 24, Cols: 80}}} {
			spec.Dir = at(name)
			id, err := e.Start(testkit.Within(t), spec)
			if want == 0 {
				require.NoError(t, err, name)
				exit := enginetest.Wait(t, e, id)
				assert.True(t, exit.Success(), "%s: %v", name, exit)
				continue
			}
			require.ErrorIs(t, err, want, name)
			assert.ErrorIs(t, err, procession.ErrStart)
			assert.NotErrorIs(t, err, procession.ErrNotFound, name)
			assert.NotErrorIs(t, err, exec.ErrNotFound, name)
			assert.Equal(t, want == syscall.EACCES, errors.Is(err, fs.ErrPermission), name)
			assert.EqualError(t, err, `start "`+spec.Command+`": chdir `+spec.Dir+": "+want.Error())
		}
	}
}

// So it is at a restart, of what was there at the first start.
func TestADirectoryThatIsLostBeforeARestart(t *testing.T) {
	if testkit.AsNobody(t) {
		return
	}
	e := enginetest.New(t)
	for line, want := range map[string]syscall.Errno{
		`cd /; chmod 600 "$OLDPWD"`:              syscall.EACCES,
		`cd /; rmdir "$OLDPWD"`:                  syscall.ENOENT,
		`cd /; rmdir "$OLDPWD"; echo >"$OLDPWD"`: syscall.ENOTDIR,
	} {
		spec := procession.Shell(line)
		spec.Dir = filepath.Join(t.TempDir(), "dir")
		require.NoError(t, os.Mkdir(spec.Dir, 0o700))
		t.Cleanup(func() { os.Chmod(spec.Dir, 0o700) })
		spec.Restart = procession.Policy{When: procession.Always, MaxRestarts: 1, MinBackoff: time.Millisecond, MaxBackoff: time.Millisecond}
		exit, _ := enginetest.Run(t, e, spec)
		require.Equal(t, procession.CauseStartFailed, exit.Cause, line)
		assert.ErrorIs(t, exit.StartError, want)
		assert.EqualError(t, exit.StartError, `start "/bin/sh": chdir `+spec.Dir+": "+want.Error())
	}
}

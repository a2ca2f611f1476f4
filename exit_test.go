//go:build linux

package procession_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

// What says that a process is ready counts, however soon its leader has exited after
// it, and is told before its exit.
func TestReadyHoweverSoonItHasExited(t *testing.T) {
	e := newEngine(t)
	for name, spec := range map[string]procession.Spec{
		"a line":             {Command: "/bin/echo", Args: []string{"ready"}},
		"on stderr, failing": procession.Shell("echo ready >&2; exit 3"),
		"no end of line":     procession.Shell("printf ready"),
		"killed by itself":   procession.Shell("echo ready; kill -9 $$"),
		"a daemon of its":    procession.Shell("(sleep 0.05; echo ready) & exit 0"),
	} {
		t.Run(name, func(t *testing.T) {
			told := collect(t, e)
			spec.Ready = &procession.Probe{Pattern: "^ready$"}
			for range 20 {
				id := start(t, e, spec)
				must(e.Wait(within(t), id))(t)
				i := info(t, e, id)
				assert.True(t, len(i.Incarnations) == 1 && i.Incarnations[0].Ready && !i.Ready, "%+v", i)
				got := told.await(t, func(m procession.Event) bool { exited, is := m.(*messages.ProcessExited); return is && exited.ID == id })
				assert.Contains(t, kinds(got), "Ready")
				assert.Equal(t, i.OutputBytes, got[len(got)-1].(*messages.ProcessExited).End)
			}
		})
	}
	t.Run("not what it never said", func(t *testing.T) {
		spec := procession.Shell("echo no")
		spec.Ready = &procession.Probe{Pattern: "^ready$"}
		id := start(t, e, spec)
		must(e.Wait(within(t), id))(t)
		assert.False(t, info(t, e, id).Incarnations[0].Ready)
	})
}

// What is wrong with a restart is told as it would have been at the first start.
func TestARestartThatFailsSaysWhy(t *testing.T) {
	e := newEngine(t)
	for name, test := range map[string]struct {
		harm string
		is   error
	}{
		"gone":            {`rm "$0"`, syscall.ENOENT},
		"not executable":  {`chmod -x "$0"`, syscall.EACCES},
		"a directory now": {`rm "$0"; mkdir "$0"`, syscall.EACCES},
		"no program":      {`rm "$0"; printf '\177ELF' >"$0"; chmod +x "$0"`, syscall.ENOEXEC},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "program")
			require.NoError(t, os.WriteFile(path, []byte("#!/bin/sh\n"+test.harm+"; exit 1\n"), 0o755))
			spec := procession.Spec{Command: path, Restart: quick}
			exit := must(e.Wait(within(t), start(t, e, spec)))(t)
			assert.Equal(t, procession.CauseStartFailed, exit.Cause)
			require.NotNil(t, exit.StartError)
			assert.ErrorIs(t, exit.StartError, test.is)
			assert.ErrorIs(t, exit.StartError, procession.ErrStart)
			assert.Equal(t, exit.Reason, exit.StartError.Error())
		})
	}
	t.Run("not on PATH any more", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(dir, "gone-soon"), []byte("#!/bin/sh\nrm \"$0\"; exit 1\n"), 0o755))
		t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
		exit := must(e.Wait(within(t), start(t, e, procession.Spec{Command: "gone-soon", Restart: quick})))(t)
		require.NotNil(t, exit.StartError)
		assert.ErrorIs(t, exit.StartError, exec.ErrNotFound)
	})
}

func TestInfoSaysWhenItIsKilled(t *testing.T) {
	e := newEngine(t)
	spec := procession.Shell(`trap "" TERM; echo on; while :; do sleep 1000 & wait; done`)
	spec.Grace = time.Hour
	id := start(t, e, spec)
	must(e.WaitFor(within(t), id, regexp.MustCompile("on")))(t)
	assert.Zero(t, info(t, e, id).KillAt)
	told := collect(t, e)
	go e.Kill(t.Context(), id)
	told.await(t, func(m procession.Event) bool { _, is := m.(*messages.ProcessStopping); return is })
	assert.WithinDuration(t, time.Now().Add(time.Hour), info(t, e, id).KillAt, time.Minute)
	require.NoError(t, e.Signal(within(t), id, syscall.SIGKILL))
	must(e.Kill(within(t), id))(t)
	assert.Zero(t, info(t, e, id).KillAt)
}

//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession"
	"github.com/procession-go/procession/messages"
)

func TestCodeOf(t *testing.T) {
	for _, test := range []struct {
		exit procession.Exit
		want int
	}{
		{procession.Exit{}, 0},
		{procession.Exit{Code: 255}, 255},
		{procession.Exit{Code: -1, Signal: "SIGKILL"}, 137},
		{procession.Exit{Code: -1, Signal: "SIGTERM"}, 143},
		{procession.Exit{Code: -1, Signal: "signal 34"}, 162},
		{procession.Exit{Code: -1, Cause: procession.CauseStartFailed}, 125},
		{procession.Exit{Cause: procession.CauseTimeout}, 124},
		{procession.Exit{Code: 7, Cause: procession.CauseTimeout}, 7},
		{procession.Exit{Code: -1, Signal: "SIGTERM", Cause: procession.CauseTimeout}, 143},
		{procession.Exit{Cause: procession.CauseKilled}, 0},
	} {
		if got := codeOf(test.exit); got != test.want {
			t.Errorf("codeOf(%+v) = %d, want %d", test.exit, got, test.want)
		}
	}
}

func TestStartCode(t *testing.T) {
	for errno, want := range map[syscall.Errno]int{
		syscall.ENOENT: 127,
		syscall.EACCES: 126, syscall.EPERM: 126, syscall.ENOTDIR: 126, syscall.ELOOP: 126, syscall.ENAMETOOLONG: 126, syscall.ETXTBSY: 126,
		syscall.E2BIG: 126, syscall.ENOEXEC: 126, syscall.EISDIR: 126, syscall.EINVAL: 126, syscall.EIO: 126,
		syscall.EAGAIN: 125, syscall.ENOMEM: 125, syscall.EMFILE: 125, syscall.ENFILE: 125, syscall.ENOSPC: 125,
	} {
		assert.Equal(t, want, startCode(&messages.Error{Code: messages.CodeStart, Errno: errno}), "%v", errno)
		assert.Equal(t, want, startCode(fmt.Errorf("more: %w", &fs.PathError{Err: errno})), "%v", errno)
	}
	assert.Equal(t, 127, startCode(&exec.Error{Name: "x", Err: exec.ErrNotFound}))
	assert.Equal(t, 127, startCode(&messages.Error{Code: messages.CodeNoCommand}))
	assert.Equal(t, 126, startCode(&messages.Error{Code: messages.CodeDot}))
	assert.Equal(t, 125, startCode(&messages.Error{Code: messages.CodeStart}))
	assert.Equal(t, 125, startCode(errors.New("another")))
}

// What is there and cannot be run is so for every command, as for sh and env.
func TestWhatCannotBeExecuted(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("garbage"), []byte("\x00\x01"), 0o755))
	require.NoError(t, os.WriteFile(at("plain"), nil, 0o644))
	require.NoError(t, os.Symlink("loop", at("loop")))
	busy, err := os.OpenFile(at("busy"), os.O_CREATE|os.O_WRONLY, 0o755)
	require.NoError(t, err)
	defer busy.Close()
	busy.WriteString("#!/bin/sh\n")
	for command, says := range map[string]string{
		at("plain/x"):                  "not a directory",
		at("garbage/x/y"):              "not a directory",
		at("loop"):                     "too many levels of symbolic links",
		at("loop/x"):                   "too many levels of symbolic links",
		at(strings.Repeat("x", 300)):   "file name too long",
		at(strings.Repeat("x/", 2100)): "file name too long",
		at("busy"):                     "text file busy",
		at("garbage"):                  "exec format error",
		at("plain"):                    "permission denied",
		dir:                            "permission denied",
	} {
		r := runCLI(t, "run", "--", command)
		assert.Equal(t, 126, r.code, says)
		oneLine(t, r.stderr, says)
		r = runCLI(t, "up", poolYAML(t, "processes: {a: {command: ["+command+"]}}"))
		assert.Equal(t, 126, r.code, says)
		assert.Contains(t, r.stderr, says)
	}
	r := runCLI(t, "up", poolYAML(t, "processes: {a: {command: 'echo "+strings.Repeat("x", 200<<10)+"'}}"))
	assert.Equal(t, 126, r.code)
	assert.Contains(t, r.stderr, "argument list too long")
	again := poolYAML(t, `processes: {a: {command: [./program], restart: {when: always, max_restarts: 1, min_backoff: 1ms, max_backoff: 1ms}}}`)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(again), "program"), []byte("#!/bin/sh\nrm program; ln -s program program\n"), 0o755))
	r = runCLI(t, "up", again)
	assert.Equal(t, 126, r.code)
	assert.Contains(t, r.stderr, "a not started again: start \"./program\": too many levels of symbolic links")
}

//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
)

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
		r := clitest.Run(t, "run", "--", command)
		assert.Equal(t, 126, r.Code, says)
		clitest.OneLine(t, r.Stderr, says)
		r = clitest.Run(t, "up", clitest.PoolYAML(t, "processes: {a: {command: ["+command+"]}}"))
		assert.Equal(t, 126, r.Code, says)
		assert.Contains(t, r.Stderr, says)
	}
	r := clitest.Run(t, "up", clitest.PoolYAML(t, "processes: {a: {command: 'echo "+strings.Repeat("x", 200<<10)+"'}}"))
	assert.Equal(t, 126, r.Code)
	assert.Contains(t, r.Stderr, "argument list too long")
	again := clitest.PoolYAML(t, `processes: {a: {command: [./program], restart: {when: always, max_restarts: 1, min_backoff: 1ms, max_backoff: 1ms}}}`)
	require.NoError(t, os.WriteFile(filepath.Join(filepath.Dir(again), "program"), []byte("#!/bin/sh\nrm program; ln -s program program\n"), 0o755))
	r = clitest.Run(t, "up", again)
	assert.Equal(t, 126, r.Code)
	assert.Contains(t, r.Stderr, "a not started again: start \"./program\": too many levels of symbolic links")
}

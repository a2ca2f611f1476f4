//go:build unix

package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDotenvOfAProcfile(t *testing.T) {
	dir := t.TempDir()
	procfile := filepath.Join(dir, "Procfile")
	require.NoError(t, os.WriteFile(procfile, []byte(`a: printf '%s|' "$V" "$W" "$X"; echo`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, ".env"), []byte("V=/opt:$OUTER\nW=\"a\\\\\"\nX=$UNSET_HERE\nno-name=1\n"), 0o600))
	warnings := "procession: " + dir + "/.env:3: UNSET_HERE is not set: empty\n" +
		"procession: " + dir + "/.env:4: \"no-name\" is no name of a variable: skipped\n"

	for command, stdout := range map[string]string{"up": `/opt:outer|a\||`, "check": "a.1"} {
		cmd := cli(t, command, procfile)
		cmd.Env = append(cmd.Env, "OUTER=outer")
		got := runCmd(t, cmd)
		assert.Zero(t, got.code, command)
		assert.Contains(t, got.stdout, stdout, command)
		assert.Contains(t, got.stderr, warnings, command)
	}
}

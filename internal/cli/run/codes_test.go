//go:build unix

package run_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
)

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, []byte("x"), 0o644))
	garbage := filepath.Join(dir, "garbage")
	require.NoError(t, os.WriteFile(garbage, []byte("\x00\x01garbage"), 0o755))
	script := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o755))
		return path
	}
	for _, test := range []struct {
		args []string
		code int
		says string // on stderr, in one line; nothing if ""
	}{
		{[]string{"run", "--", "true"}, 0, ""},
		{[]string{"run", "--", "sh", "-c", "exit 3"}, 3, ""},
		{[]string{"run", "--", "sh", "-c", "exit 255"}, 255, ""},
		{[]string{"run", "--", "sh", "-c", "kill -KILL $$"}, 137, ""},
		{[]string{"run", "--", "sh", "-c", "kill -TERM $$"}, 143, ""},
		{[]string{"run", "--timeout", "50ms", "--", "sleep", "600"}, 143, "sleep timed out after 50ms"},
		{[]string{"run", "--timeout", "50ms", "--grace", "0s", "--", "sh", "-c", "trap '' TERM; while :; do sleep 600; done"}, 137, "timed out"},

		{[]string{"run", "--timeout", "1s", "--", "sh", "-c", "trap 'exit 0' TERM; sleep 600 & wait"}, 124, "sh timed out after 1s"},
		{[]string{"run", "--timeout", "1s", "--", "sh", "-c", "trap 'exit 9' TERM; sleep 600 & wait"}, 9, "sh timed out after 1s"},

		{[]string{"run", "--", "there-is-no-such-program"}, 127, `"there-is-no-such-program": executable file not found`},
		{[]string{"run", "--", "/there/is/no/such/program"}, 127, "no such file"},
		{[]string{"run", "--", plain}, 126, "permission denied"},
		{[]string{"run", "--", dir}, 126, "permission denied"},
		{[]string{"run", "--", garbage}, 126, "exec format error"},
		{[]string{"run", "--", script("bare", "echo hi\n")}, 126, "a script without a #! line"},
		{[]string{"run", "--", script("lost", "#!/there/is/none\n")}, 127, `its interpreter "/there/is/none" is missing`},
		{[]string{"run", "--", script("dos", "#!/bin/sh\r\n")}, 127, "carriage return"},

		{[]string{"run"}, 2, "nothing to run"},
		{[]string{"run", "--"}, 2, "nothing to run"},
		{[]string{"run", "--", ""}, 2, "Command is empty"},
		{[]string{"run", "a", "--", "b"}, 2, "do not go together"},
		{[]string{"run", "-t", "a", "b"}, 2, "one process"},
		{[]string{"run", "--no-such-flag", "a"}, 2, "unknown flag"},
		{[]string{"run", "--timeout", "soon", "a"}, 2, "--timeout"},
		{[]string{"run", "--timeout", "-1s", "a"}, 2, "negative"},
		{[]string{"run", "--grace", "-1s", "a"}, 2, "negative"},
		{[]string{"run", "--output-limit", "lots", "a"}, 2, "--output-limit"},
		{[]string{"run", "-e", "NAME", "a"}, 2, "NAME=VALUE"},
		{[]string{"run", "-C", "/there/is/none", "a"}, 2, "--dir"},
		{[]string{"run", "-C", plain, "a"}, 2, "not a directory"},
		{[]string{"run", "--name", "x", "--name", "y", "a"}, 2, "--name"},
		{[]string{"run", "--name", "x", "--name", "x", "a", "b"}, 2, `"x" is there twice`},
		{[]string{"run", "--name", "", "a"}, 2, "empty"},
		{[]string{"run", "--name", "a\nb", "--", "a"}, 2, "cannot be printed"},
		{[]string{"run", ""}, 2, "line 1 is empty"},
		{[]string{"run", "true", " \n"}, 2, "line 2 is empty"},
		{[]string{"run", "-t", ""}, 2, "line 1 is empty"},
	} {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			got := clitest.Run(t, test.args...)
			assert.Equal(t, test.code, got.Code, "exit code; stderr %q", got.Stderr)
			assert.Empty(t, got.Stdout)
			if test.says == "" {
				assert.Empty(t, got.Stderr)
			} else {
				clitest.OneLine(t, got.Stderr, test.says)
			}
		})
	}
}

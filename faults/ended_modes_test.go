//go:build linux

package faults

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/testkit/enginetest"
)

// All rows, as root and as nobody, with the mark that cannot be lost and without: then
// RLIMIT_LOCKS is somebody's (ulimit -x). The mode that this program is in itself is left
// out.
func TestEndedInEveryMode(t *testing.T) {
	if onlySlow(t); *rows == 0 {
		t.Skip("run with -rows")
	}
	isRoot, isMarked := os.Geteuid() == 0, enginetest.New(t).Capabilities().Reason == ""
	for _, mode := range []struct {
		name         string
		root, marked bool
	}{
		{"root, with marks", true, true},
		{"root, without marks", true, false},
		{"nobody, with marks", false, true},
		{"nobody, without marks", false, false},
	} {
		t.Run(mode.name, func(t *testing.T) {
			switch {
			case mode.root == isRoot && mode.marked == isMarked:
				t.Skip("this is the mode that the other tests are in")
			case mode.root && !isRoot:
				t.Skip("needs root")
			case mode.marked && !isMarked:
				t.Skip("needs marks")
			}
			again(t, isRoot && !mode.root, isMarked && !mode.marked)
		})
	}
}

// again runs the rows in a process of their own.
func again(t *testing.T, asNobody, unmarked bool) {
	t.Helper()
	dir, err := os.MkdirTemp("", "faults-") // which nobody can search, unlike t.TempDir's
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o777))
	binary := filepath.Join(dir, "faults.test")
	out, err := exec.Command("cp", os.Args[0], binary).CombinedOutput()
	require.NoError(t, err, "%s", out)

	line := `exec "$0" "$@"`
	if unmarked {
		line = `ulimit -x 1000; ` + line
	}
	cmd := exec.Command("bash", append([]string{"-c", line, binary, "-test.run=^TestEnded", "-test.skip=^TestEndedInEveryMode$", "-test.v", "-test.count=1"}, passedOn(t)...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TMPDIR="+dir, "HOME="+dir)
	if asNobody {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	out, err = cmd.CombinedOutput()
	t.Logf("%s", out)
	assert.NoError(t, err)
}

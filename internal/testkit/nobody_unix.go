//go:build unix

package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// AsNobody has a test run as nobody, for whom there is what is forbidden. It reports
// whether it has: then the test is over. If the tests do not run as root it does nothing.
func AsNobody(t *testing.T) bool {
	t.Helper()
	if os.Geteuid() != 0 {
		return false
	}
	const nobody = 65534
	dir, err := os.MkdirTemp("", "nobody-") // where nobody can execute it
	require.NoError(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	require.NoError(t, os.Chmod(dir, 0o755))
	program, temp := filepath.Join(dir, "program.test"), filepath.Join(dir, "tmp")
	binary, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip("cannot read the program of the tests: ", err)
	}
	require.NoError(t, os.WriteFile(program, binary, 0o755))
	require.NoError(t, os.Mkdir(temp, 0o700))
	require.NoError(t, os.Chown(temp, nobody, nobody))
	cmd := exec.Command(program, "-test.run", "^"+t.Name()+"$", "-test.count=1", "-test.v")
	cmd.Dir = temp
	cmd.Env = append(os.Environ(), "TMPDIR="+temp, "HOME="+temp)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	return true
}

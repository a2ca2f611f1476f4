package local_test

import (
	"io"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

// Nothing outlives a command line that was killed, wherever it went.
func TestNothingOutlivesAKilledCommandLine(t *testing.T) {
	cmd := clitest.Command(t, "run", "--", "sh", "-c",
		`setsid sh -c 'echo $$; while :; do sleep 600; done' & sh -c 'echo $$; exec sleep 600' & echo $$; wait`)
	out := clitest.Start(t, cmd)
	var pids []int
	for range 3 {
		pids = append(pids, clitest.ReadPID(t, out))
	}
	cmd.Process.Kill()
	for _, pid := range pids {
		testkit.Gone(t, pid)
	}
	cmd.Wait()
}

// What the leader has left behind is ended before the command line is.
func TestWhatIsLeftBehindEnds(t *testing.T) {
	cmd := clitest.Command(t, "run", "-i", "--grace", "1s", "--", "sh", "-c",
		`setsid sh -c 'trap "" TERM; echo $$; exec sleep 600 >/dev/null 2>&1' & read x; exit 3`)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out := clitest.Start(t, cmd)
	pid := clitest.ReadPID(t, out)
	in.Close()
	io.Copy(io.Discard, out)
	assert.Equal(t, 3, clitest.Wait(t, cmd), "exit code")
	assert.False(t, testkit.Alive(pid), "it is still there")
}

// Not even what has lost all marks, and its parent, is lost: it is the command line's
// then, which ends and reaps it.
func TestOrphansWithoutMarksEndWithTheCommandLine(t *testing.T) {
	testkit.Needs(t, "bash")
	cmd := clitest.Command(t, "run", "--", "bash", "-c", `(setsid bash -c 'ulimit -x 0; exec env -i bash -c "echo \$\$; echo \$\$ >pid; exec sleep 600 >/dev/null 2>&1"' &)
		until [ "$(cat /proc/"$(cat pid)"/comm)" = sleep ]; do sleep 0.02; done 2>/dev/null`)
	cmd.Dir = t.TempDir()
	out := clitest.Start(t, cmd)
	pid := clitest.ReadPID(t, out)
	io.Copy(io.Discard, out)
	require.Zero(t, clitest.Wait(t, cmd))
	_, there := testkit.Look(pid)
	require.False(t, there)
}

// Orphans that end by themselves are reaped while the command runs.
func TestOrphansAreReaped(t *testing.T) {
	cmd := clitest.Command(t, "run", "-i", "--", "sh", "-c", `for i in 1 2 3; do (setsid sh -c 'echo $$; exit' &); done; read x`)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out := clitest.Start(t, cmd)
	for range 3 {
		pid := clitest.ReadPID(t, out)
		testkit.Eventually(t, func(c *assert.CollectT) {
			_, there := testkit.Look(pid)
			assert.False(c, there, "it is not reaped")
		})
	}
	in.Close()
	io.Copy(io.Discard, out)
	clitest.Wait(t, cmd)
}

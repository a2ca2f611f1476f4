//go:build amd64 || arm64

// This is another package: what a test of package nofile itself imported would be
// initialized before it.
package nofile_test

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/nofile"
	"github.com/procession-go/procession/internal/testinit"
	"github.com/procession-go/procession/internal/testkit"
)

// helperVariable is set for the test binary to tell what it was started with.
const helperVariable = "NOFILE_TEST_HELPER"

func TestMain(m *testing.M) {
	testinit.Boot()
	if os.Getenv(helperVariable) != "" {
		var now syscall.Rlimit
		err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now)
		before := nofile.Original
		set := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 77, Max: now.Max})
		fmt.Println(before, now.Cur, now.Max, err, set, nofile.Original)
		syscall.Exit(0) // at once: the race detector would wait a second
	}
	os.Exit(m.Run())
}

// startedWith is what the helper knows of the limit that sh(1) has set.
func startedWith(t *testing.T, ulimit string) (original, soft, hard uint64) {
	t.Helper()
	sh := testkit.Program(t, "sh")
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(sh, "-c", ulimit+` && exec "$0"`, self)
	cmd.Env = append(os.Environ(), helperVariable+"=1")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	fields := strings.Fields(string(out))
	require.Len(t, fields, 6, "%s", out)
	assert.Equal(t, []string{"<nil>", "<nil>"}, fields[3:5])
	assert.Equal(t, fields[0], fields[5], "nothing changes it")
	for i, value := range []*uint64{&original, &soft, &hard} {
		*value, err = strconv.ParseUint(fields[i], 10, 64)
		require.NoError(t, err)
	}
	return original, soft, hard
}

func TestTheOriginalLimitIsThatWithWhichThisProgramWasStarted(t *testing.T) {
	for _, soft := range []uint64{100, 512, 777} {
		original, raised, hard := startedWith(t, fmt.Sprint("ulimit -Sn ", soft))
		assert.Equal(t, soft, original)
		if hard > soft+1 {
			assert.Greater(t, raised, soft, "package syscall has raised it")
		}
	}
}

func TestTheOriginalLimitMayBeAsHighAsCanBe(t *testing.T) {
	original, soft, hard := startedWith(t, `ulimit -Sn "$(ulimit -Hn)"`)
	assert.Equal(t, [2]uint64{hard, hard}, [2]uint64{original, soft})
}

func TestTheOriginalLimitMayBeTheHardOne(t *testing.T) {
	original, soft, hard := startedWith(t, "ulimit -n 300")
	assert.Equal(t, [3]uint64{300, 300, 300}, [3]uint64{original, soft, hard})
}

func TestTheOriginalLimitIsKnownHere(t *testing.T) {
	assert.NotZero(t, nofile.Original)
}

// TestItIsInitializedBeforePackageSyscall looks at what this package imports: nothing
// that could be initialized later.
func TestItIsInitializedBeforePackageSyscall(t *testing.T) {
	goTool := testkit.Program(t, "go")
	out, err := exec.Command(goTool, "list", "-f", "{{.Imports}}", ".").CombinedOutput()
	if err != nil {
		t.Skipf("go list: %v: %s", err, out)
	}
	assert.Subset(t, []string{"[]", "[unsafe]"}, []string{strings.TrimSpace(string(out))}, "on %s", runtime.GOARCH)
}

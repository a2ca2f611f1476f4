//go:build linux

package local_test

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sync/errgroup"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

// handler cleans up when it is asked to end. What it says it also writes to the file
// said, which is there when it has no output any more.
const handler = `say() { echo "$@"; echo "$@" >>said; }
trap 'sleep 0.5; say slept $?; exit 7' TERM; say on; sleep 100 & wait`

// many runs something 100 times if that is asked for, otherwise 5, each in a directory of
// its own, some at the same time. It runs on goroutines of their own: use assert.
func many(t *testing.T, run func(dir string)) {
	t.Helper()
	testkit.Needs(t, "bash") // which the scripts are for
	n := 5
	if *slow {
		n = 100
	}
	var group errgroup.Group
	group.SetLimit(5)
	for range n {
		dir := t.TempDir()
		group.Go(func() error {
			run(dir)
			return nil
		})
	}
	group.Wait()
}

// kinds are the command lines that run a script in bash, which is in the variable
// SCRIPT, and the exit code if that returns 7 because it was asked to end.
var kinds = map[string]struct {
	args []string
	code int
}{
	"run": {[]string{"run", "--", "bash", "-c", `eval "$SCRIPT"`}, 7},
	"up":  {[]string{"up", "Procfile"}, 0},
}

// scripted is a command line that runs script in dir.
func scripted(t *testing.T, dir, script string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := clitest.Command(t, args...)
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "SCRIPT="+script)
	assert.NoError(t, os.WriteFile(filepath.Join(dir, "Procfile"), []byte(`a: exec bash -c "$SCRIPT"`+"\n"), 0o600))
	return cmd
}

// said waits until a script in dir has said a line n times, and reports whether it has.
func said(t *testing.T, dir, line string, n int) bool {
	t.Helper()
	return assert.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.GreaterOrEqual(c, times(dir, line), n, "how often %q was said", line)
	}, clitest.Patience, 2*time.Millisecond)
}

// times is how often a script has said a line.
func times(dir, line string) int {
	text, _ := os.ReadFile(filepath.Join(dir, "said"))
	n := 0
	for said := range strings.Lines(string(text)) {
		if said == line+"\n" {
			n++
		}
	}
	return n
}

var slow = flag.Bool("slow", false, "run each way of ending 100 times")

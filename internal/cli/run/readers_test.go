//go:build unix

package run_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/backlog"
	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/testkit"
)

func TestAReaderThatGoesAwayEndsIt(t *testing.T) {
	for _, args := range [][]string{{"run", "--", "yes"}, {"run", "yes", "yes no"}} {
		cmd := clitest.Command(t, args...)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		_, err = out.Read(make([]byte, 1))
		require.NoError(t, err)
		out.Close()
		assert.Equal(t, 143, clitest.Wait(t, cmd), "exit code of %q", args)
		assert.Empty(t, stderr.String(), "%q", args)
	}
}

func TestASlowReaderLosesNothing(t *testing.T) {
	const n = 150_000_000
	cmd := clitest.Command(t, append([]string{"run"}, clitest.Helper(t, "flood", strconv.Itoa(n))...)...)
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	out := clitest.Start(t, cmd)
	pid := clitest.ReadPID(t, bufio.NewReader(errs))
	if _, err := os.Stat("/proc/self/io"); err == nil {
		before, since := 0, time.Now()
		testkit.Eventually(t, func(c *assert.CollectT) {
			if now := written(pid); now != before {
				before, since = now, time.Now()
			}
			assert.Greater(c, before, backlog.Limit, "bytes that it has written")
			assert.Greater(c, time.Since(since), 200*time.Millisecond, "since it has written some")
		})
	}
	want, got := sha256.New(), sha256.New()
	io.Copy(want, clitest.Noise(3, n))
	k, _ := io.Copy(got, out)
	assert.Zero(t, clitest.Wait(t, cmd), "exit code")
	assert.EqualValues(t, n, k, "bytes that came")
	assert.Equal(t, want.Sum(nil), got.Sum(nil), "their sum")
}

// A reader that pauses gets everything, whatever group the writer is in, and however it ends.
func TestAReaderThatPausesGetsEverything(t *testing.T) {
	const n = 20_000_000
	for name, line := range map[string]string{
		"the leader":            `exec head -c %d /dev/zero`,
		"a group of its own":    `timeout 100 head -c %d /dev/zero`,
		"a session of its own":  `setsid -w head -c %d /dev/zero`,
		"a background job":      `set -m; head -c %d /dev/zero & wait`,
		"a pipeline":            `head -c %d /dev/zero | timeout 100 cat`,
		"it ignores being held": `trap '' CONT TSTP TTOU; head -c %d /dev/zero; exit 0`,
	} {
		for _, args := range [][]string{{"run", "--", "sh", "-c"}, {"run", "--output-limit", "4KiB", "--", "sh", "-c"}, {"run", "-q"}} {
			t.Run(name+" "+strings.Join(args, " "), func(t *testing.T) {
				t.Parallel()
				line := fmt.Sprintf(line, n)
				want := int64(n)
				if args[1] == "-q" { // with its prefix, and a last newline
					line = strings.ReplaceAll(line, "/dev/zero", "/dev/zero | tr '\\000' '\\n'")
					want = 0
				}
				cmd := clitest.Command(t, append(args, line)...)
				var stderr bytes.Buffer
				cmd.Stderr = &stderr
				out := clitest.Start(t, cmd)
				time.Sleep(300 * time.Millisecond) // the reader pauses
				var k int64
				if want > 0 {
					k, _ = io.Copy(io.Discard, out)
				} else {
					all, _ := io.ReadAll(out)
					k, want = int64(bytes.Count(all, []byte("\n"))), n
				}
				assert.Zero(t, clitest.Wait(t, cmd), "exit code; %s", &stderr)
				assert.Equal(t, want, k, "how much came; %s", &stderr)
			})
		}
	}
}

// written is how many bytes a process has written (proc(5)).
func written(pid int) (n int) {
	io, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	_, rest, _ := strings.Cut(string(io), "wchar: ")
	fmt.Sscan(rest, &n)
	return n
}

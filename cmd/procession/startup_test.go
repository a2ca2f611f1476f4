//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// program builds the command line as people do.
func program(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "procession")
	out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput()
	require.NoError(tb, err, "%s", out)
	return path
}

// initLine is what GODEBUG=inittrace=1 says of a package (package runtime, GODEBUG).
var initLine = regexp.MustCompile(`^init (\S+) @\S+ ms, (\S+) ms clock,`)

// inits are the times that the packages of a program take to initialize, the least of
// several runs, because the machine does other things besides.
func inits(tb testing.TB, path string, args ...string) map[string]time.Duration {
	tb.Helper()
	least := map[string]time.Duration{}
	for range 10 {
		cmd := exec.Command(path, args...)
		cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
		out, err := cmd.CombinedOutput()
		require.NoError(tb, err, "%s", out)
		for line := range strings.Lines(string(out)) {
			match := initLine.FindStringSubmatch(line)
			if match == nil {
				continue
			}
			took, err := time.ParseDuration(match[2] + "ms")
			require.NoError(tb, err)
			if before, known := least[match[1]]; !known || took < before {
				least[match[1]] = took
			}
		}
	}
	return least
}

func TestNoPackageIsSlowToInitialize(t *testing.T) {
	path := program(t)
	for _, args := range [][]string{{"version"}, {"run", "--", "true"}, {"check", "../../examples/pool/Procfile"}} {
		least := inits(t, path, args...)
		assert.Greater(t, len(least), 50, "inits of %v", args)
		for name, took := range least {
			assert.LessOrEqual(t, took, time.Millisecond, "init of %s", name)
		}
	}
}

// The goals are 6 ms for version and 15 ms for run, on a machine that does nothing else.
// The least of many is what is not disturbed.
func BenchmarkStartUp(b *testing.B) {
	path := program(b)
	for _, args := range [][]string{{"sh", "-c", "exit 3"}, {path, "version"}, {path, "run", "--", "sh", "-c", "exit 3"}} {
		b.Run(strings.Join(append([]string{filepath.Base(args[0])}, args[1:]...), " "), func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				begin := time.Now()
				exec.Command(args[0], args[1:]...).Run()
				took = append(took, time.Since(begin))
			}
			slices.Sort(took)
			b.ReportMetric(took[0].Seconds()*1000, "least-ms")
			b.ReportMetric(took[len(took)/2].Seconds()*1000, "median-ms")
		})
	}
}

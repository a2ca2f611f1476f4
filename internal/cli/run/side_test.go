//go:build unix

package run_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
)

// tableOf splits what several processes have printed from the table at the end,
// whose rows it answers by name.
func tableOf(t *testing.T, stdout string) (lines []string, rows map[string][]string) {
	t.Helper()
	output, table, ok := strings.Cut(stdout, "\nNAME ")
	require.True(t, ok, "no table in %q", stdout)
	rows = map[string][]string{}
	for row := range strings.Lines(table) {
		cells := regexp.MustCompile(`  +`).Split(strings.TrimSpace(row), -1)
		rows[cells[0]] = cells[1:]
	}
	return slices.Collect(strings.Lines(output)), rows
}

// byName is the lines without their prefixes, joined for each name.
func byName(t *testing.T, lines []string) map[string]string {
	t.Helper()
	read := map[string]string{}
	for _, line := range lines {
		name, text, ok := strings.Cut(line, " | ")
		require.True(t, ok, "no prefix: %q", line)
		read[strings.TrimSpace(name)] += text
	}
	return read
}

func TestSideBySide(t *testing.T) {
	got := clitest.Run(t, "run", "for i in 1 2 3; do echo tick $i; sleep 0.3; done", "seq 100000 | wc -l", "echo oops >&2; exit 3")
	assert.Equal(t, 3, got.Code, "exit code")
	assert.Equal(t, "echo | oops\n", got.Stderr)
	lines, rows := tableOf(t, got.Stdout)
	read := byName(t, lines)
	assert.Equal(t, "tick 1\ntick 2\ntick 3\n", read["for"])
	assert.Equal(t, "100000", strings.TrimSpace(read["seq"]))
	for name, want := range map[string][2]string{"for": {"0", "21 B"}, "seq": {"0", "7 B"}, "echo": {"3", "5 B"}} {
		row := rows[name]
		require.Len(t, row, 4, name)
		assert.Regexp(t, `^[1-9]\d*$`, row[0], "PID of %s", name)
		assert.Equal(t, want[0], row[1], "exit of %s", name)
		assert.Regexp(t, `^[\d.]+m?s$`, row[2], "duration of %s", name)
		assert.Equal(t, want[1], row[3], "output of %s", name)
	}
}

func TestTheFirstFailureCounts(t *testing.T) {
	got := clitest.Run(t, "run", "-q", "sleep 0.5; exit 5", "exit 6", "true")
	assert.Equal(t, 6, got.Code, "exit code")
	got = clitest.Run(t, "run", "true", "echo fine")
	assert.Zero(t, got.Code, "exit code")
}

func TestQuietPrintsNoTable(t *testing.T) {
	for _, flag := range []string{"-q", "--quiet"} {
		got := clitest.Run(t, "run", flag, "echo a", "true")
		assert.Equal(t, "echo | a\n", got.Stdout, flag)
	}
}

func TestLinesOfManyProcesses(t *testing.T) {
	args := []string{"run", "-q"}
	var letters []string
	for _, letter := range "abcdefgh" {
		letters = append(letters, string(letter))
		args = append(args, "--name", string(letter))
	}
	long := strings.Repeat("x", 3000)
	for _, letter := range letters {
		args = append(args, fmt.Sprintf(`i=0; while [ $i -lt 300 ]; do printf %s; printf '%s%%d\n' $i; i=$((i+1)); done; printf end`, letter, long))
	}
	got := clitest.Run(t, args...)
	read := byName(t, slices.Collect(strings.Lines(got.Stdout)))
	for _, letter := range letters {
		var want strings.Builder
		for i := range 300 {
			fmt.Fprintf(&want, "%s%s%d\n", letter, long, i)
		}
		want.WriteString("end\n")
		assert.True(t, read[letter] == want.String(), "%s: %d bytes, or different ones, want %d", letter, len(read[letter]), want.Len())
	}
	assert.Zero(t, got.Code, "exit code")
	assert.Empty(t, got.Stderr)
}

func TestOneLineAlone(t *testing.T) {
	got := clitest.Run(t, "run", "--name", "only", "printf 'a\nb'; exit 2")
	lines, rows := tableOf(t, got.Stdout)
	assert.Equal(t, 2, got.Code, "exit code")
	assert.Equal(t, []string{"only | a\n", "only | b\n"}, lines)
	require.Contains(t, rows, "only")
	assert.Equal(t, "2", rows["only"][1])
}

func TestATimeoutIsInTheTable(t *testing.T) {
	got := clitest.Run(t, "run", "--timeout", "100ms", "--name", "x", "sleep 600", "true")
	_, rows := tableOf(t, got.Stdout)
	assert.Equal(t, 143, got.Code, "exit code")
	assert.Equal(t, "SIGTERM (timeout)", rows["x"][1])
	assert.Equal(t, "0", rows["true"][1])
}

func TestATimeoutIsAFailure(t *testing.T) {
	got := clitest.Run(t, "run", "--timeout", "1s", "--name", "x", "trap 'exit 0' TERM; sleep 600 & wait", "true")
	_, rows := tableOf(t, got.Stdout)
	assert.Equal(t, console.CodeTimeout, got.Code, "exit code")
	assert.Equal(t, "0 (timeout)", rows["x"][1])
	assert.Equal(t, "0", rows["true"][1])
}

func TestNoColourWithoutATerminal(t *testing.T) {
	got := clitest.Run(t, "run", "echo a", "echo b >&2")
	assert.NotContains(t, got.Stdout, "\x1b")
	assert.NotContains(t, got.Stderr, "\x1b")
}

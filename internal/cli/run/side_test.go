//go:build unix

package run_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/procession-go/procession/internal/cli/clitest"
	"github.com/procession-go/procession/internal/cli/console"
)

// tableOf splits what several processes have printed from the table at the end,
// whose rows it answers by name.
func tableOf(t *testing.T, stdout string) (lines []string, rows map[string][]string) {
	t.Helper()
	output, table, ok := strings.Cut(stdout, "\nNAME ")
	if !ok {
		t.Fatalf("no table in %q", stdout)
	}
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
		if !ok {
			t.Fatalf("no prefix: %q", line)
		}
		read[strings.TrimSpace(name)] += text
	}
	return read
}

func TestSideBySide(t *testing.T) {
	got := clitest.Run(t, "run", "for i in 1 2 3; do echo tick $i; sleep 0.3; done", "seq 100000 | wc -l", "echo oops >&2; exit 3")
	if got.Code != 3 {
		t.Errorf("exit code %d, want 3", got.Code)
	}
	if want := "echo | oops\n"; got.Stderr != want {
		t.Errorf("stderr is %q, want %q", got.Stderr, want)
	}
	lines, rows := tableOf(t, got.Stdout)
	read := byName(t, lines)
	if read["for"] != "tick 1\ntick 2\ntick 3\n" || strings.TrimSpace(read["seq"]) != "100000" {
		t.Errorf("output %q", read)
	}
	for name, want := range map[string][2]string{"for": {"0", "21 B"}, "seq": {"0", "7 B"}, "echo": {"3", "5 B"}} {
		row := rows[name]
		if len(row) != 4 || row[1] != want[0] || row[3] != want[1] || !regexp.MustCompile(`^[1-9]\d*$`).MatchString(row[0]) ||
			!regexp.MustCompile(`^[\d.]+m?s$`).MatchString(row[2]) {
			t.Errorf("row of %s: %q", name, row)
		}
	}
}

func TestTheFirstFailureCounts(t *testing.T) {
	got := clitest.Run(t, "run", "-q", "sleep 0.5; exit 5", "exit 6", "true")
	if got.Code != 6 {
		t.Errorf("exit code %d, want 6", got.Code)
	}
	if got := clitest.Run(t, "run", "true", "echo fine"); got.Code != 0 {
		t.Errorf("exit code %d, want 0", got.Code)
	}
}

func TestQuietPrintsNoTable(t *testing.T) {
	for _, flag := range []string{"-q", "--quiet"} {
		if got := clitest.Run(t, "run", flag, "echo a", "true"); got.Stdout != "echo | a\n" && got.Stdout != "echo | a\n"[:0] {
			t.Errorf("got %q", got.Stdout)
		}
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
		if read[letter] != want.String() {
			t.Errorf("%s: %d bytes, or different ones, want %d", letter, len(read[letter]), want.Len())
		}
	}
	if got.Code != 0 || got.Stderr != "" {
		t.Errorf("exit code %d, stderr %q", got.Code, got.Stderr)
	}
}

func TestOneLineAlone(t *testing.T) {
	got := clitest.Run(t, "run", "--name", "only", "printf 'a\nb'; exit 2")
	lines, rows := tableOf(t, got.Stdout)
	if got.Code != 2 || strings.Join(lines, "") != "only | a\nonly | b\n" || rows["only"][1] != "2" {
		t.Errorf("got %+v", got)
	}
}

func TestATimeoutIsInTheTable(t *testing.T) {
	got := clitest.Run(t, "run", "--timeout", "100ms", "--name", "x", "sleep 600", "true")
	_, rows := tableOf(t, got.Stdout)
	if got.Code != 143 || rows["x"][1] != "SIGTERM (timeout)" || rows["true"][1] != "0" {
		t.Errorf("exit code %d, rows %q", got.Code, rows)
	}
}

func TestATimeoutIsAFailure(t *testing.T) {
	got := clitest.Run(t, "run", "--timeout", "1s", "--name", "x", "trap 'exit 0' TERM; sleep 600 & wait", "true")
	_, rows := tableOf(t, got.Stdout)
	if got.Code != console.CodeTimeout || rows["x"][1] != "0 (timeout)" || rows["true"][1] != "0" {
		t.Errorf("exit code %d, rows %q", got.Code, rows)
	}
}

func TestNoColourWithoutATerminal(t *testing.T) {
	if got := clitest.Run(t, "run", "echo a", "echo b >&2"); strings.Contains(got.Stdout+got.Stderr, "\x1b") {
		t.Errorf("got %q and %q", got.Stdout, got.Stderr)
	}
}

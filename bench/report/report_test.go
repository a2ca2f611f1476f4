package main

import (
	"encoding/xml"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write what is made of the sample to testdata")

// sample is the output of a run.
func sample(t *testing.T) *results {
	t.Helper()
	r, err := read("testdata/run.txt")
	require.NoError(t, err)
	return r
}

func TestSample(t *testing.T) {
	r := sample(t)
	for name, got := range map[string]string{"tables.md": tables(r), "chart.svg": svg(r)} {
		path := filepath.Join("testdata", name)
		if *update {
			require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
		}
		want, err := os.ReadFile(path)
		require.NoError(t, err)
		assert.Equal(t, string(want), got, "%s is not what is made of the sample; if it is as it should be, go test ./bench/report -update", path)
	}
}

// Every row is about a benchmark that there is, and has the goal that it prints.
func TestRowsAgreeWithBenchmarks(t *testing.T) {
	r := sample(t)
	printed := map[string]string{ // what the goal of a benchmark is for, if it has several figures
		"IdleMemory": "B/process", "IdleThreads": "threads", "IdleDescriptors": "fds/process", "StartWhileMany": "kept",
		"InfoWhileFlooded": "p50-ns", "Snapshot": "ns/snapshot", "List": "ns/list", "ExitToWait": "later-ns", "ExitToEvent": "later-ns", "Info": "ns/request", "Read": "ns/read", "Growth": "growth-B",
	}
	for _, row := range slices.Concat(goals, others) {
		bench, _ := r.find(row.bench)
		_, ok := row.result(r)
		assert.True(t, ok, "%s: the sample has no %s of %s", row.work, row.unit, row.bench)
		if strings.HasPrefix(row.unit, "limit-") { // what the goal is not for
			continue
		}
		family, _, _ := strings.Cut(bench, "/")
		unit := printed[family]
		if want, ok := r.figure(bench, "goal"); ok && (unit == "" || unit == row.unit) {
			assert.Equal(t, want, row.goal.value, "the goal of %s", row.work)
		}
	}
}

func TestParse(t *testing.T) {
	r, err := parse(strings.NewReader(`goos: linux
cpu: Some CPU: the second
warning: not a setting, and harmless
BenchmarkA/n=8-4   1   10 ns/op  0.5 ratio
BenchmarkA/n=8-4   1   30 ns/op  0.9 ratio
BenchmarkA/n=40-4  1   7 ns/op
BenchmarkStarted
PASS
ok  	example.org	1.2s
BenchmarkA/n=8-4   1   11 ns/op
BenchmarkB         1   -1 B/x
`))
	require.NoError(t, err)
	assert.Equal(t, "linux", r.machine["goos"])
	assert.Equal(t, "Some CPU: the second", r.machine["cpu"])
	assert.Equal(t, 4, r.cpus)
	assert.Equal(t, 3, r.runs())
	for _, test := range []struct {
		bench, unit string
		want        float64
		ok          bool
	}{
		{"A/n=8", "ns/op", 11, true},
		{"A/n=8", "ratio", 0.7, true},
		{"A/n=40", "ns/op", 7, true},
		{"B", "B/x", -1, true},
		{"B", "ns/op", 0, false},
		{"C", "ns/op", 0, false},
	} {
		got, ok := r.figure(test.bench, test.unit)
		assert.Equal(t, test.ok, ok, "%s of %s", test.unit, test.bench)
		assert.Equal(t, test.want, got, "%s of %s", test.unit, test.bench)
	}
	for pattern, want := range map[string]string{"A/n=*": "A/n=40", "A/n=8": "A/n=8", "A/n=*/x": "", "B*": ""} {
		bench, _ := r.find(pattern)
		assert.Equal(t, want, bench, pattern)
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"":                            errNothing.Error(),
		"PASS\n":                      errNothing.Error(),
		"BenchmarkA-2 1 2 ns/op 3\n":  `line 1: A: "3" has no unit`,
		"\nBenchmarkA-2 1 two ns/op ": "line 2: A: strconv.ParseFloat",
	} {
		_, err := parse(strings.NewReader(text))
		if assert.Error(t, err, "%q", text) {
			assert.Regexp(t, "^"+regexp.QuoteMeta(want), err.Error(), "%q", text)
		}
	}
}

func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		goal     goal
		figure   string
		want     string
		relative float64
	}{
		{atLeast(0.8), "0.8", "met", 1},
		{atLeast(0.8), "1.6", "met", 2},
		{atLeast(0.8), "0.6", "**short by 25 %**", 0.75},
		{atLeast(0.8), "0.798", "**short by 0.25 %**", 0.9975},
		{atLeast(0.8), "8000", "met", 64},
		{atMost(4), "4", "met", 1},
		{atMost(4), "2", "met", 2},
		{atMost(4), "8", "**over by 100 %**", 0.5},
		{atMost(4), "0", "met", 64},
		{atMost(4), "-1", "met", 64},
		{atMost(4), "none", "not measured", 0},
		{goal{}, "3", "", 0},
	} {
		text := "BenchmarkX 1 1 other"
		if test.figure != "none" {
			text = "BenchmarkX 1 " + test.figure + " unit"
		}
		r, err := parse(strings.NewReader(text))
		require.NoError(t, err)
		row := row{"work", "X", "unit", "", test.goal}
		assert.Equal(t, test.want, row.verdict(r), "%s with goal %v", test.figure, test.goal)
		if result, ok := row.result(r); ok && test.relative != 0 {
			assert.InDelta(t, test.relative, test.goal.relative(result, 64), 1e-9, "%s relative to goal %v", test.figure, test.goal)
		}
	}
}

func TestFormat(t *testing.T) {
	for _, test := range []struct {
		figure float64
		unit   string
		want   string
	}{
		{0.8204, "ratio", "0.82"},
		{2.2, "go-cmd-cost-ratio", "2.20"},
		{1.129, "kept", "1.13"},
		{584310, "ns/start", "584 µs"},
		{1030408, "plain-ns/start", "1.03 ms"},
		{904095254, "ns/shutdown", "904 ms"},
		{-31000, "later-ns", "-31 µs"},
		{4642, "p50-ns", "4.64 µs"},
		{0.3725, "ns/byte", "2.68 GB/s"},
		{514.1, "ns/write", "514 ns"},
		{3622, "B/process", "3.54 KiB"},
		{8192, "B/process", "8 KiB"},
		{98304, "growth-B", "96 KiB"},
		{832.1, "B/snapshot", "832 B"},
		{4006, "plain-threads", "4,006"},
		{1234567, "threads", "1,234,567"},
		{-1234, "threads", "-1,234"},
		{99.96, "threads", "100"},
		{123.8, "allocs/start", "124"},
		{12.04, "allocs/read", "12"},
		{3, "fds/process", "3"},
		{0.5, "ratio-p25", "0.50"},
		{1500, "ns/x-p75", "1.5 µs"},
	} {
		assert.Equal(t, test.want, format(test.figure, test.unit), "%v %s", test.figure, test.unit)
	}
}

func TestReplace(t *testing.T) {
	for doc, want := range map[string]string{
		"a\n" + begin + "\nold\n" + end + "\nb\n": "a\n" + begin + "\nnew\n" + end + "\nb\n",
		begin + end:             begin + "\nnew\n" + end,
		"none":                  "",
		begin:                   "",
		end + begin:             "",
		begin + end + end:       "",
		begin + begin + end:     "",
		end + begin + "x" + end: "",
	} {
		got, err := replace(doc, "new\n")
		assert.Equal(t, want, got, "what becomes of %q", doc)
		if want == "" {
			assert.ErrorIs(t, err, errComments, "%q", doc)
		} else {
			assert.NoError(t, err, "%q", doc)
		}
	}
}

// Whatever the results are, the chart is XML, and its text has room.
func TestChart(t *testing.T) {
	empty, err := parse(strings.NewReader("BenchmarkX 1 1 unit"))
	require.NoError(t, err)
	for name, r := range map[string]*results{"sample": sample(t), "nothing": empty} {
		chart := xml.NewDecoder(strings.NewReader(svg(r)))
		for {
			_, err := chart.Token()
			if err == io.EOF {
				break
			}
			require.NoError(t, err, name)
		}
		for _, row := range goals {
			title := row.title(r)
			assert.LessOrEqual(t, utf8.RuneCountInString(title), 42, "%q is too long for the chart", title)
		}
	}
}

func TestReport(t *testing.T) {
	dir := t.TempDir()
	doc, chart := filepath.Join(dir, "doc.md"), filepath.Join(dir, "chart.svg")
	require.NoError(t, os.WriteFile(doc, []byte("# Head\n"+begin+"\n"+end+"\ntail\n"), 0o644))
	for range 2 { // again makes no difference
		require.NoError(t, report("testdata/run.txt", doc, chart))
		text, err := os.ReadFile(doc)
		require.NoError(t, err)
		assert.Equal(t, "# Head\n"+begin+"\n"+tables(sample(t))+end+"\ntail\n", string(text))
		drawn, err := os.ReadFile(chart)
		require.NoError(t, err)
		assert.Equal(t, svg(sample(t)), string(drawn))
	}
	assert.Error(t, report(filepath.Join(dir, "none"), doc, chart), "without results")
	assert.Error(t, report("testdata/run.txt", chart, chart), "without marks")
}

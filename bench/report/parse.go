package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// results are the figures of one or more runs of the benchmarks
// (https://go.dev/design/14313-benchmark-format).
type results struct {
	machine map[string]string               // goos, goarch, cpu
	cpus    int                             // GOMAXPROCS
	figures map[string]map[string][]float64 // by benchmark and unit, of each run
}

var errNothing = errors.New("no results of a benchmark")

func parse(in io.Reader) (*results, error) {
	r := &results{machine: map[string]string{}, cpus: 1, figures: map[string]map[string][]float64{}}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		if key, value, ok := strings.Cut(line, ": "); ok && !strings.ContainsAny(key, " \t") {
			r.machine[key] = strings.TrimSpace(value)
		}
		if fields := strings.Fields(line); len(fields) > 2 && strings.HasPrefix(line, "Benchmark") {
			if err := r.add(fields); err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(r.figures) == 0 {
		return nil, errNothing
	}
	return r, nil
}

// add takes in a line: the benchmark, its iterations, and pairs of a figure and
// its unit.
func (r *results) add(fields []string) error {
	name := strings.TrimPrefix(fields[0], "Benchmark")
	if at := strings.LastIndexByte(name, '-'); at >= 0 {
		if cpus, err := strconv.Atoi(name[at+1:]); err == nil {
			name, r.cpus = name[:at], cpus
		}
	}
	if r.figures[name] == nil {
		r.figures[name] = map[string][]float64{}
	}
	pairs := fields[2:]
	if len(pairs)%2 == 1 {
		return fmt.Errorf("%s: %q has no unit", name, pairs[len(pairs)-1])
	}
	for pair := range slices.Chunk(pairs, 2) {
		figure, err := strconv.ParseFloat(pair[0], 64)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		r.figures[name][pair[1]] = append(r.figures[name][pair[1]], figure)
	}
	return nil
}

// figure is the median over the runs.
func (r *results) figure(bench, unit string) (figure float64, ok bool) {
	runs := slices.Sorted(slices.Values(r.figures[bench][unit]))
	n := len(runs)
	if n == 0 {
		return 0, false
	}
	return (runs[(n-1)/2] + runs[n/2]) / 2, true
}

// find is the benchmark that a row means, and the number that stands for the
// row's "*".
func (r *results) find(pattern string) (bench string, number int) {
	before, after, open := strings.Cut(pattern, "*")
	if !open {
		return pattern, 0
	}
	for name := range r.figures {
		rest, found := strings.CutPrefix(name, before)
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.Atoi(rest[:digits])
		if found && err == nil && strings.HasSuffix(rest[digits:], after) && n > number {
			bench, number = name, n
		}
	}
	return bench, number
}

// runs is how often the benchmark was run that was run most.
func (r *results) runs() (most int) {
	for _, units := range r.figures {
		for _, runs := range units {
			most = max(most, len(runs))
		}
	}
	return most
}

package poolfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	Path string
	Line int // counted from 1; 0 if it is about the file as a whole
	Text string
}

// Error returns "file:line: text".
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.Path + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.Path, p.Line, p.Text)
}

// Problems are all errors in the files of a pool, in the order in which they occur
// there.
type Problems []Problem

// Error returns all of them, one per line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i := range p {
		lines[i] = p[i].Error()
	}
	return strings.Join(lines, "\n")
}

// report collects what is wrong with one file, and with those that it names.
type report struct {
	path     string
	problems Problems
	warnings Problems // about what does not keep the pool from being run
}

func (r *report) add(line int, format string, args ...any) {
	r.problems = append(r.problems, Problem{r.path, line, fmt.Sprintf(format, args...)})
}

// result is nil, or Problems in order, each once.
func (r *report) result() error {
	if len(r.problems) == 0 {
		return nil
	}
	return r.problems.inOrder()
}

// inOrder is each of p once, by file and line.
func (p Problems) inOrder() Problems {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line))
	})
	return slices.Compact(p)
}

// Command report makes what docs/performance.md shows of the output of the
// benchmarks in folder bench: the tables of results, between two comments, and the
// chart. From the root of the module:
//
//	go test -run '^$' -bench . ./bench | tee bench/results.txt
//	go run ./bench/report -results bench/results.txt
//
// Of several runs, one after the other in the same file, each figure is the
// median. What is measured and what the goals are is in rows.go.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
)

func main() {
	from := flag.String("results", "-", "read the output of the benchmarks from this `file`, - for standard input")
	doc := flag.String("doc", "docs/performance.md", "put the tables into this `file`")
	chart := flag.String("chart", "docs/performance.svg", "write the chart to this `file`")
	flag.Parse()
	if flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := report(*from, *doc, *chart); err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
}

// report reads results and writes the rest.
func report(from, doc, chart string) error {
	r, err := read(from)
	if err != nil {
		return err
	}
	before, err := os.ReadFile(doc)
	if err != nil {
		return err
	}
	after, err := replace(string(before), tables(r))
	if err != nil {
		return fmt.Errorf("%s: %w", doc, err)
	}
	if err := os.WriteFile(doc, []byte(after), 0o644); err != nil {
		return err
	}
	return os.WriteFile(chart, []byte(svg(r)), 0o644)
}

func read(from string) (*results, error) {
	var in io.Reader = os.Stdin
	if from != "-" {
		file, err := os.Open(from)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		in = file
	}
	r, err := parse(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return r, nil
}

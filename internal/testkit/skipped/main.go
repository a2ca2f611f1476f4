// Command skipped reads what "go test -json" prints, shows what has failed, and tells which
// tests were skipped and why. It fails if a test has failed, or, with -allow, if one was
// skipped for a reason that a file does not allow.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
)

// event is a line of "go test -json": see "go doc test2json".
type event struct {
	Action, Package, Test, Output string
	Elapsed                       float64
}

type name struct{ pkg, test string }

// report is what is known of a run.
type report struct {
	output  map[name][]string   // of what is not over yet
	skipped map[string][]string // the tests, by the reason
	failed  bool
}

func main() {
	file := flag.String("allow", "", "a file of regular expressions: a test may be skipped if one of them matches \"TEST: REASON\"")
	flag.Parse()
	if err := run(os.Stdin, os.Stdout, *file); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer, file string) error {
	r := report{output: map[name][]string{}, skipped: map[string][]string{}}
	if err := r.read(in, out); err != nil {
		return err
	}
	r.tell(out)
	if r.failed {
		return fmt.Errorf("tests have failed")
	}
	if file == "" {
		return nil
	}
	allowed, err := reasons(file)
	if err != nil {
		return err
	}
	if wrong := r.others(allowed); len(wrong) > 0 {
		return fmt.Errorf("skipped, and %s does not allow it:\n%s", file, strings.Join(wrong, "\n"))
	}
	return nil
}

func (r *report) read(in io.Reader, out io.Writer) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) != nil {
			fmt.Fprintln(out, lines.Text()) // something else than a test has said it
			continue
		}
		r.take(e, out)
	}
	return lines.Err()
}

func (r *report) take(e event, out io.Writer) {
	of := name{e.Package, e.Test}
	switch e.Action {
	case "output":
		if !strings.HasPrefix(e.Output, "=== ") {
			r.output[of] = append(r.output[of], e.Output)
		}
		return
	case "build-output":
		fmt.Fprint(out, e.Output)
		return
	case "fail", "build-fail":
		r.failed = true
		fmt.Fprint(out, strings.Join(r.output[of], ""))
	case "skip":
		if e.Test != "" {
			why := reason(r.output[of])
			r.skipped[why] = append(r.skipped[why], e.Test)
		}
	case "pass":
		if e.Test == "" {
			fmt.Fprintf(out, "ok  \t%s\t%.3fs\n", e.Package, e.Elapsed)
		}
	default:
		return
	}
	delete(r.output, of)
}

var logged = regexp.MustCompile(`^\s*\w+\.go:\d+: (.*)`)

// reason is why a test was skipped: what it has said last.
func reason(output []string) (why string) {
	for _, line := range output {
		if said := logged.FindStringSubmatch(line); said != nil && !strings.HasPrefix(said[1], "=== ") {
			why = strings.TrimSpace(said[1])
		}
	}
	return why
}

// tell tells what was skipped, by reason, and the tests in their order.
func (r *report) tell(out io.Writer) {
	whys := make([]string, 0, len(r.skipped))
	for why := range r.skipped {
		whys = append(whys, why)
	}
	slices.Sort(whys)
	for _, why := range whys {
		fmt.Fprintf(out, "skipped, %d: %s\n", len(r.skipped[why]), why)
		const most = 8
		for i, test := range r.skipped[why] {
			if i == most {
				fmt.Fprintln(out, "\t…")
				break
			}
			fmt.Fprintf(out, "\t%s\n", test)
		}
	}
}

// others are the tests that were skipped for a reason that is not allowed.
func (r *report) others(allowed []*regexp.Regexp) (all []string) {
	for why, tests := range r.skipped {
		for _, test := range tests {
			line := test + ": " + why
			if !slices.ContainsFunc(allowed, func(a *regexp.Regexp) bool { return a.MatchString(line) }) {
				all = append(all, line)
			}
		}
	}
	slices.Sort(all)
	return all
}

// reasons reads the regular expressions of a file: one a line, but for comments.
func reasons(file string) (all []*regexp.Regexp, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		one, err := regexp.Compile(line)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, one)
	}
	return all, nil
}

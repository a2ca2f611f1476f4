package main

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The comments between which the tables are.
const (
	begin = "<!-- results:begin -->"
	end   = "<!-- results:end -->"
)

var errComments = errors.New("there must be one " + begin + ", and one " + end + " after it")

// replace puts text between the comments.
func replace(doc, text string) (string, error) {
	before, rest, found := strings.Cut(doc, begin)
	_, after, ended := strings.Cut(rest, end)
	if !found || !ended || strings.Contains(before+after, end) || strings.Contains(rest, begin) {
		return "", errComments
	}
	return before + begin + "\n" + text + end + after, nil
}

// tables is what stands between the comments.
func tables(r *results) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%s\n\n", origin(r))
	table(&b, r, goals)
	b.WriteString("\nMeasured besides:\n\n")
	table(&b, r, others)
	b.WriteString("\n")
	return b.String()
}

// origin is where the results come from.
func origin(r *results) string {
	times := "one run"
	if n := r.runs(); n > 1 {
		times = fmt.Sprintf("the medians of %d runs", n)
	}
	return fmt.Sprintf("From %s on %s/%s, %s, GOMAXPROCS %d.", times, r.machine["goos"], r.machine["goarch"], r.machine["cpu"], r.cpus)
}

func table(b *strings.Builder, r *results, rows []row) {
	b.WriteString("| work | goal | result | p25–p75 | engine | plain | go-cmd | |\n|---|---|---|---|---|---|---|---|\n")
	for _, row := range rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row.cells(r), " | "))
	}
}

// cells is a row as text.
func (row row) cells(r *results) []string {
	bench, _ := r.find(row.bench)
	text := func(unit string) string {
		figure, ok := r.figure(bench, unit)
		if !ok {
			return ""
		}
		return format(figure, unit)
	}
	costs := row.costs
	if costs == "" {
		costs = row.unit
	}
	spread := ""
	if low, high := text(row.unit+"-p25"), text(row.unit+"-p75"); low != "" && high != "" {
		spread = low + "–" + high
	}
	return []string{
		row.title(r), row.goal.text(row.unit), text(row.unit), spread,
		text(costs), text("plain-" + costs), text("go-cmd-" + row.unit), row.verdict(r),
	}
}

// title is the work, with the number for which its benchmark leaves a place.
func (row row) title(r *results) string {
	if !strings.Contains(row.work, "%s") {
		return row.work
	}
	number := "N"
	if _, n := r.find(row.bench); n > 0 {
		number = thousands(n)
	}
	return fmt.Sprintf(row.work, number)
}

// result is what is held against the goal.
func (row row) result(r *results) (figure float64, ok bool) {
	bench, _ := r.find(row.bench)
	return r.figure(bench, row.unit)
}

func (row row) verdict(r *results) string {
	result, ok := row.result(r)
	switch {
	case !ok:
		return "not measured"
	case row.goal == goal{}:
		return ""
	case row.goal.isMet(result):
		return "met"
	}
	word := "short"
	if row.goal.most {
		word = "over"
	}
	return fmt.Sprintf("**%s by %s %%**", word, significant(100*row.goal.missed(result)))
}

func (g goal) text(unit string) string {
	switch {
	case g == goal{}:
		return ""
	case g.most:
		return "≤ " + format(g.value, unit)
	}
	return "≥ " + format(g.value, unit)
}

// format is a figure as one reads it. What a unit is, its name says: ns is a
// time, B is memory, ns/byte a rate, ratio and kept are relative.
func format(figure float64, unit string) string {
	base, spread := strings.CutSuffix(unit, "-p25")
	if !spread {
		base = strings.TrimSuffix(unit, "-p75")
	}
	switch {
	case strings.HasSuffix(base, "ns/byte"):
		return significant(1/figure) + " GB/s"
	case strings.HasSuffix(base, "ratio"), strings.HasSuffix(base, "kept"):
		return strconv.FormatFloat(figure, 'f', 2, 64)
	case has(base, "ns"):
		return scaled(figure, 1000, "ns", "µs", "ms", "s")
	case has(base, "B"):
		return scaled(figure, 1024, "B", "KiB", "MiB", "GiB")
	}
	return significant(figure)
}

// has reports whether the name of a unit has that word.
func has(unit, word string) bool {
	for part := range strings.FieldsFuncSeq(unit, func(c rune) bool { return c == '-' || c == '/' }) {
		if part == word {
			return true
		}
	}
	return false
}

// scaled is a figure in the largest of units, each step times the one before, in
// which it is at least 1.
func scaled(figure, step float64, units ...string) string {
	for len(units) > 1 && max(figure, -figure) >= step {
		figure /= step
		units = units[1:]
	}
	return significant(figure) + " " + units[0]
}

// significant has as many decimals as mean something.
func significant(figure float64) string {
	size := max(figure, -figure)
	switch {
	case size >= 1000:
		return thousands(int(math.Round(figure)))
	case size >= 99.5:
		return strconv.FormatFloat(figure, 'f', 0, 64)
	case size >= 9.95:
		return strings.TrimSuffix(strconv.FormatFloat(figure, 'f', 1, 64), ".0")
	}
	return strings.TrimSuffix(strings.TrimSuffix(strconv.FormatFloat(figure, 'f', 2, 64), "0"), ".0")
}

// thousands is a whole number as it is printed.
func thousands(n int) string {
	if n > -1000 && n < 1000 {
		return strconv.Itoa(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), max(n%1000, -(n%1000)))
}
